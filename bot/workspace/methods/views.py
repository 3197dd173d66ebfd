"""views.*: modals on a stack of three, and the App Home."""

import hashlib
import json
from typing import Any

from bot.workspace.blockkit import Surface, problems
from bot.workspace.errors import SlackError
from bot.workspace.methods.registry import Args, method
from bot.workspace.model import Json, View
from bot.workspace.posting import with_ids
from bot.workspace.records import Change, Records
from bot.workspace.wire import view_json

DEEPEST = 3


def stamped(records: Records, raw: Any, surface: Surface) -> Json:
    """A view's payload, checked and with the ids and the hash Slack adds."""
    if not isinstance(raw, dict):
        raise SlackError("invalid_arguments", messages=["[ERROR] missing required field: view"])
    given = {key: value for key, value in raw.items() if value is not None}
    faults = problems(given, surface=surface)
    if faults:
        raise SlackError("invalid_arguments", messages=faults)
    payload = {**given, "blocks": with_ids(records, given["blocks"])}
    digest = hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()[:8]
    payload["hash"] = f"{records.next_ts()}.{digest}"
    return payload


def _unique_external_id(records: Records, payload: Json, own: str | None = None) -> None:
    external_id = payload.get("external_id")
    if external_id and any(
        view.payload.get("external_id") == external_id and view.id != own
        for view in records.views.values()
    ):
        raise SlackError("duplicate_external_id")


def show(records: Records, user: str, raw: Any, *, on_top: bool) -> View:
    """Put a modal in front of a person: alone, or on top of what is open."""
    payload = stamped(records, raw, "modal")
    _unique_external_id(records, payload)
    stack = records.stacks.get(user, []) if on_top else []
    if len(stack) >= DEEPEST:
        raise SlackError("push_limit_reached")
    if not on_top:
        drop_stack(records, user)
    view_id = records.next_id("V")
    root = records.views[stack[0]].id if stack else view_id
    view = View(view_id, user, "modal", payload, root, stack[-1] if stack else None)
    records.views[view_id] = view
    records.stacks[user] = [*stack, view_id]
    records.changed(Change("view", user=user))
    return view


def drop_stack(records: Records, user: str) -> list[View]:
    """Close every modal of this person; returns what was closed, top first."""
    closed = [records.views.pop(view_id) for view_id in reversed(records.stacks.pop(user, []))]
    if closed:
        records.changed(Change("view", user=user))
    return closed


def replace(records: Records, view: View, raw: Any) -> View:
    payload = stamped(records, raw, "home" if view.type == "home" else "modal")
    _unique_external_id(records, payload, view.id)
    view.payload, view.errors = payload, {}
    records.changed(Change("home" if view.type == "home" else "view", user=view.user))
    return view


@method("views.open")
def views_open(records: Records, args: Args) -> Json:
    # Slack checks the view first: a faulty one does not use the trigger up.
    stamped(records, args.json("view"), "modal")
    user = records.spend_trigger(args.required("trigger_id", "invalid_trigger_id"))
    return {"view": view_json(records, show(records, user, args.json("view"), on_top=False))}


@method("views.push")
def views_push(records: Records, args: Args) -> Json:
    stamped(records, args.json("view"), "modal")
    user = records.spend_trigger(args.required("trigger_id", "invalid_trigger_id"))
    return {"view": view_json(records, show(records, user, args.json("view"), on_top=True))}


@method("views.update")
def views_update(records: Records, args: Args) -> Json:
    external_id = args.text("external_id")
    if external_id:
        found = [v for v in records.views.values() if v.payload.get("external_id") == external_id]
        view = found[0] if found else None
    else:
        view = records.views.get(args.required("view_id", "not_found"))
    if view is None:
        raise SlackError("not_found")
    wanted = args.text("hash")
    if wanted and wanted != view.payload["hash"]:
        raise SlackError("hash_conflict")
    return {"view": view_json(records, replace(records, view, args.json("view")))}


@method("views.publish")
def views_publish(records: Records, args: Args) -> Json:
    user = records.user(args.required("user_id", "invalid_arguments"))
    home = records.homes.get(user.id)
    wanted = args.text("hash")
    if wanted and home is not None and wanted != home.payload["hash"]:
        raise SlackError("hash_conflict")
    payload = stamped(records, args.json("view"), "home")
    if home is None:
        view_id = records.next_id("V")
        home = records.homes[user.id] = View(view_id, user.id, "home", payload, view_id)
    home.payload = payload
    records.changed(Change("home", user=user.id))
    return {"view": view_json(records, home)}
