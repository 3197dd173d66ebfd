"""The app manifest: what Slack must know to install Watchbill, for Socket Mode or HTTP."""

from typing import Any

import yaml

from bot.slack.text import safe_url
from bot.slack.vocabulary import ADD_TO_JOURNAL, COMMAND, CREATE_INCIDENT, PAGE_SOMEONE

MANDATORY = ("chat:write", "commands", "users:read", "users:read.email", "channels:read",
             "groups:read", "im:write")  # fmt: skip
OPTIONAL = ("app_mentions:read", "bookmarks:read", "bookmarks:write", "channels:history",
            "channels:join", "channels:manage", "chat:write.public", "files:write",
            "groups:history", "groups:write", "im:history", "usergroups:read", "usergroups:write")  # fmt: skip
"""Without one of these the part that needs it is off: mentions, bookmarks, looking for an earlier
post, entering channels, topics, pictures, answering direct messages, user groups."""

EVENTS = ("app_home_opened", "app_mention", "message.im")


def missing(scopes: frozenset[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what a token's scopes lack: those we need, and those that only switch a part off."""
    return (
        tuple(scope for scope in MANDATORY if scope not in scopes),
        tuple(scope for scope in OPTIONAL if scope not in scopes),
    )


def manifest(mode: str, public_url: str = "", sign_in_path: str = "") -> dict[str, Any]:
    """Return the manifest for `mode`, socket or http.

    `sign_in_path` is where Slack sends people back who signed in on the web pages, "" for nowhere;
    it needs a public https address, and is left out without one.

    Raises ValueError when HTTP mode has no public address, or for another mode.
    """
    if mode not in {"socket", "http"}:
        raise ValueError(f'there is no mode "{mode}": write socket or http')
    url = f"{safe_url(public_url).rstrip('/')}/slack/events" if public_url else ""
    if mode == "http" and not url.startswith("https://"):
        raise ValueError("HTTP mode needs public_url, an https:// address that Slack can reach")
    pages = f"{safe_url(public_url).rstrip('/')}{sign_in_path}" if sign_in_path else ""
    led_back = {"redirect_urls": [pages]} if pages.startswith("https://") else {}
    at = {"request_url": url} if mode == "http" else {}
    command_at = {"url": url} if mode == "http" else {}
    return {
        "_metadata": {"major_version": 1, "minor_version": 1},
        "display_information": {
            "name": "Watchbill",
            "description": "The on-call bot for data teams",
            "background_color": "#1d3557",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": "Watchbill", "always_online": True},
            "slash_commands": [
                {
                    "command": COMMAND,
                    "description": "Who is on call, and everything about incidents",
                    "usage_hint": "who | page @person text | ack 42 | help",
                    "should_escape": True,
                    **command_at,
                }
            ],
            "shortcuts": [
                _shortcut("Create incident", "message", CREATE_INCIDENT,
                          "Open an incident from this message"),
                _shortcut("Add to journal", "message", ADD_TO_JOURNAL,
                          "Keep this message for the next incident like it"),
                _shortcut("Page someone", "global", PAGE_SOMEONE, "Page whoever is on call"),
            ],
        },
        "oauth_config": {
            **led_back,
            "scopes": {"bot": sorted((*MANDATORY, *OPTIONAL)), "bot_optional": list(OPTIONAL)}
        },
        "settings": {
            "event_subscriptions": {"bot_events": list(EVENTS), **at},
            "interactivity": {"is_enabled": True, **at},
            "org_deploy_enabled": False,
            "socket_mode_enabled": mode == "socket",
            "token_rotation_enabled": False,
        },
    }  # fmt: skip


def manifest_yaml(mode: str, public_url: str = "", sign_in_path: str = "") -> str:
    """Return the manifest as YAML, to be pasted into Slack's "create an app from a manifest"."""
    made = manifest(mode, public_url, sign_in_path)
    return str(yaml.safe_dump(made, sort_keys=False, allow_unicode=True))


def _shortcut(name: str, kind: str, callback_id: str, description: str) -> dict[str, str]:
    return {"name": name, "type": kind, "callback_id": callback_id, "description": description}
