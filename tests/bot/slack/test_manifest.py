import pytest
import yaml

from bot.slack.manifest import MANDATORY, OPTIONAL, manifest, manifest_yaml
from bot.slack.vocabulary import ADD_TO_JOURNAL, COMMAND, CREATE_INCIDENT, PAGE_SOMEONE


@pytest.mark.parametrize(("mode", "url"), [("socket", ""), ("http", "https://w.example/")])
def test_the_manifest_keeps_slacks_limits(mode: str, url: str) -> None:
    made = manifest(mode, url)
    about, features = made["display_information"], made["features"]
    assert len(about["name"]) <= 35
    assert len(about["description"]) <= 140
    assert all(len(s["name"]) <= 24 for s in features["shortcuts"])
    assert all(len(s["description"]) <= 150 for s in features["shortcuts"])
    assert {s["callback_id"] for s in features["shortcuts"]} == {
        *(ADD_TO_JOURNAL, CREATE_INCIDENT, PAGE_SOMEONE)
    }
    (command,) = features["slash_commands"]
    assert command["command"] == COMMAND
    assert command["should_escape"]
    assert yaml.safe_load(manifest_yaml(mode, url)) == made


def test_socket_mode_needs_no_address_and_http_names_ours() -> None:
    assert "request_url" not in manifest_yaml("socket")
    assert manifest("socket")["settings"]["socket_mode_enabled"]
    made = manifest("http", "https://w.example/")
    url = "https://w.example/slack/events"
    assert made["settings"]["interactivity"]["request_url"] == url
    assert made["settings"]["event_subscriptions"]["request_url"] == url
    assert made["features"]["slash_commands"][0]["url"] == url
    assert not made["settings"]["socket_mode_enabled"]


@pytest.mark.parametrize("url", ["", "http://w.example", "ftp://w.example", "w.example"])
def test_http_mode_without_a_public_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="public_url"):
        manifest("http", url)


def test_what_is_not_needed_may_be_left_out() -> None:
    scopes = manifest("socket")["oauth_config"]["scopes"]
    assert set(scopes["bot"]) == {*MANDATORY, *OPTIONAL}
    assert not set(MANDATORY) & set(scopes["bot_optional"])


def test_there_are_two_modes() -> None:
    with pytest.raises(ValueError, match="no mode"):
        manifest("carrier pigeon")


def test_it_names_where_a_sign_in_leads_back_to_only_where_slack_would_take_it() -> None:
    made = manifest("socket", "https://w.example/", "/sign-in/slack/callback")
    led_back = ["https://w.example/sign-in/slack/callback"]
    assert made["oauth_config"]["redirect_urls"] == led_back
    assert yaml.safe_load(manifest_yaml("socket", "https://w.example/", "/back"))["oauth_config"][
        "redirect_urls"
    ] == ["https://w.example/back"]
    assert "redirect_urls" not in manifest("socket", "https://w.example/")["oauth_config"]
    assert "redirect_urls" not in manifest("socket", "http://w.example", "/back")["oauth_config"]
