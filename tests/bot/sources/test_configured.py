"""What config.yaml says of a source reaches its parser and its door."""

from zoneinfo import ZoneInfo

from bot.config.settings import Config
from bot.sources.configured import mapping_fault, option_faults, source_of
from bot.sources.generic import parse
from bot.sources.registry import KINDS
from bot.web.configured import hook_sources
from tests.fakes.deliveries import delivery


def config_of(source: dict[str, object], mode: str = "socket") -> Config:
    return Config.model_validate({"slack": {"mode": mode}, "sources": [source]})


def test_a_mapping_is_used_as_it_is_written() -> None:
    mapping = {"title": "{job} broke", "status": "{s}", "resolved": ["green"]}
    spec = config_of({"name": "ci", "kind": "generic", "secret": "s", "mapping": mapping}).sources[
        0
    ]
    assert mapping_fault(spec) == ""
    source = source_of(spec)
    assert source.mapping == {"title": "{job} broke", "status": "{s}", "resolved": ("green",)}
    (alert,) = parse(source, delivery({"job": "load", "id": 4, "s": "green"})).alerts
    assert (alert.title, alert.dedup_key, alert.status.value) == ("load broke", "4", "resolved")


def test_a_faulty_mapping_is_named() -> None:
    spec = config_of({"name": "ci", "kind": "generic", "secret": "s", "mapping": {"title": "{a"}})
    assert mapping_fault(spec.sources[0]).startswith("mapping.title: a lone '{'")


def test_a_door_knows_both_secrets_and_its_limits() -> None:
    source = {
        "name": "prom",
        "kind": "alertmanager",
        "secret": "new",
        "previous_secret": "old",
        "rate_limit": 7,
        "timezone": "Europe/Berlin",
    }
    config = config_of(source)
    hook = hook_sources(config)["prom"]
    assert hook.gate.secrets == ("new", "old")
    assert "new" not in repr(hook)
    assert not hook.gate.open_on_loopback
    assert (hook.rate_limit, hook.body_limit) == (7, config.limits.body)
    assert hook.source.timezone == ZoneInfo("Europe/Berlin")


def test_only_the_local_workspace_takes_sources_without_a_secret() -> None:
    hook = hook_sources(config_of({"name": "ci", "kind": "generic"}, mode="local"))["ci"]
    assert hook.gate.secrets == ()
    assert hook.gate.open_on_loopback


def test_a_door_knows_the_vendors_scheme_and_its_options() -> None:
    source: dict[str, object] = {
        "name": "g",
        "kind": "grafana",
        "secret": "s",
        "options": {"timestamp_header": " T "},
    }
    hook = hook_sources(config_of(source))["g"]
    assert hook.gate.scheme is KINDS["grafana"].scheme
    assert hook.gate.options == hook.source.options == {"timestamp_header": "T"}


def test_an_option_that_cannot_be_used_is_left_out_and_named() -> None:
    source: dict[str, object] = {
        "name": "g",
        "kind": "github",
        "secret": "s",
        "options": {"branches": 3, "x": 1},
    }
    config = config_of(source)
    assert len(option_faults(config.sources[0])) == 2
    assert hook_sources(config)["g"].source.options == {}
