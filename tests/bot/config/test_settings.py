"""Reading config.yaml: the environment, secrets, paths, defaults, and the document about it."""

import json
import re
import subprocess
import sys
import typing
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr, ValidationError
from sqlalchemy import make_url

from bot import config_reference
from bot.config.checks import SECRET_KEYS
from bot.config.file import Loaded, load, replaced
from bot.config.secrets import secrets_of
from bot.config.settings import Config, LocalWorkspaceSpec, split_address
from bot.config_reference import reference
from rules.documents.strict_yaml import fit, parse
from rules.priority import Priority
from rules.rotation import OnCall, Span

ROOT = Path(__file__).parents[3]
TOKENS = {"SLACK_BOT_TOKEN": "xoxb-very-secret", "SLACK_APP_TOKEN": "xapp-very-secret"}
SOCKET = """
slack: {bot_token: ${SLACK_BOT_TOKEN}, app_token: ${SLACK_APP_TOKEN}}
fallback: [lead@example.com]
"""


def _load(tmp_path: Path, text: str, environ: dict[str, str] | None = None) -> Loaded:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    return load(path, {**TOKENS, **(environ or {})})


def _config(tmp_path: Path, text: str, environ: dict[str, str] | None = None) -> Config:
    loaded = _load(tmp_path, text, environ)
    assert loaded.faults == ()
    assert loaded.config is not None
    return loaded.config


# --- the environment -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("${NAME}", "x"),
        ("a${NAME}b${NAME}", "axbx"),
        ("${NONE:-default}", "default"),
        ("${EMPTY:-default}", "default"),
        ("${NONE:-}", ""),
        ("${NAME:-default}", "x"),
        ("$${NAME}", "${NAME}"),
        ("$NAME costs 5$", "$NAME costs 5$"),
        ("${LINE}", "a\nb"),
        ("<${DOS:-default}>", "<x>"),
        ("${BLANK:-default}", "default"),
    ],
)
def test_references_read_the_environment(written: str, value: str) -> None:
    environ = {"NAME": "x", "EMPTY": "", "LINE": "a\nb\n", "DOS": "x\r\n", "BLANK": "\n"}
    assert replaced(written, environ) == value


def test_a_value_of_the_environment_is_not_read_again() -> None:
    assert replaced("${A}", {"A": "${B}", "B": "x"}) == "${B}"


def test_a_value_of_the_environment_is_text_and_never_yaml(tmp_path: Path) -> None:
    hostile = 'x", database: "sqlite:///stolen.db'
    config = _config(
        tmp_path,
        SOCKET + "sources: [{name: own, kind: generic, secret: ${HOSTILE}}]",
        {"HOSTILE": hostile},
    )
    assert config.sources[0].secret.get_secret_value() == hostile
    assert "stolen" not in config.database


def test_a_secret_kept_with_a_line_end_is_the_one_that_senders_use(tmp_path: Path) -> None:
    text = SOCKET + "sources: [{name: own, kind: generic, secret: ${S}}]"
    config = _config(tmp_path, text, {"S": "0123456789abcdef\n"})
    assert config.sources[0].secret.get_secret_value() == "0123456789abcdef"


def test_a_space_beside_a_secret_is_warned_of(tmp_path: Path) -> None:
    text = SOCKET + "sources: [{name: own, kind: generic, secret: ${S}, previous_secret: ${O}}]"
    loaded = _load(tmp_path, text, {"S": " 0123456789abcdef", "O": "0123456789abcdef"})
    (warning,) = loaded.warnings
    assert (warning.line, warning.message) == (
        4,
        "`secret` begins or ends with a space; does the sender's, too?",
    )


def test_numbers_and_switches_may_come_from_the_environment(tmp_path: Path) -> None:
    text = "sources: [{name: own, kind: generic, secret: ${S}, rate_limit: ${R}, allow_query_key: ${Q}}]"
    config = _config(tmp_path, SOCKET + text, {"S": "s" * 16, "R": "5", "Q": "true"})
    assert config.sources[0].rate_limit == 5
    assert config.sources[0].allow_query_key


def test_a_reference_in_a_comment_is_no_reference(tmp_path: Path) -> None:
    assert _load(tmp_path, SOCKET + "# ${NOBODY}\n").faults == ()


@pytest.mark.parametrize("value", ["${", "${}", "${A-B}", "${1}"])
def test_a_malformed_reference_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="written"):
        replaced(value, {})


# --- secrets -------------------------------------------------------------------------------


def test_secrets_never_print(tmp_path: Path) -> None:
    text = SOCKET + (
        "database: ${DB}\n"
        "sources: [{name: own, kind: generic, secret: ${S}, previous_secret: ${S}}]\n"
        "webhooks: [{name: pager, url: https://pager.example, secret: ${S}}]\n"
    )
    environ = {"S": "very-secret-0123", "DB": "postgresql://bot:very-secret@db/x"}
    loaded = _load(tmp_path, text, environ)
    assert loaded.config is not None
    assert loaded.config.database == environ["DB"]
    assert "very-secret" not in f"{loaded.config!r} {loaded.config} {loaded.config.sources}"
    assert "very-secret" not in f"{loaded!r} {loaded.document!r}"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgresql://bot:p@ss/w0rd@db/x", "4: `database`: an @ in a user's name or password is"),
        ("postgresql://bot@db:port/x", "4: `database`: the port is no number"),
        ("postgresql://bot@db1:5432,db2:5432/x", "4: `database`: the port is no number"),
        ("postgresql://bot@db:65536/x", "4: `database`: the port is no number"),
        ("postgresql://db/x?user=bot&password=w0rd", "4: `database`: no secret stands behind"),
        (
            "postgresql://db/x?sslmode=require&channel_binding=require",
            "4: `database`: not all behind the ? is known; docs/operations/running.md",
        ),
        ("sqlite://w.db", "4: `database`: SQLite takes three slashes"),
        ("sqlite:///", "4: `database`: SQLite takes three slashes and a file"),
    ],
)
def test_a_database_that_cannot_be_meant_is_refused_without_its_password(
    tmp_path: Path, url: str, says: str
) -> None:
    loaded = _load(tmp_path, SOCKET + "database: ${DB}\n", {"DB": url})
    (fault,) = [str(one).partition("config.yaml:")[2] for one in loaded.faults]
    assert re.sub(r"^(\d+):\d+", r"\1", fault).startswith(says)
    assert "w0rd" not in fault


@pytest.mark.parametrize("word", ["p#ss", "p/ss", "p?ss", "p:ss", "p%40ss", "p[ss"])
def test_a_databases_password_is_known_as_it_is_used(tmp_path: Path, word: str) -> None:
    config = _config(tmp_path, SOCKET + "database: ${DB}\n", {"DB": f"postgresql://b:{word}@h/x"})
    assert make_url(config.database).password == unquote(word)
    assert {word, unquote(word)} <= set(secrets_of(config))


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://", "postgresql:///x?host=/var/run/postgresql", "postgresql://b@[::1]:5432/x",
        "postgresql://b@h1,h2/x?sslmode=require", "postgresql://b@h:/x", "sqlite:////w.db",
        "postgresql://b@h/x?connect_timeout=5&sslrootcert=/ca.pem&target_session_attrs=any",
    ],
)  # fmt: skip
def test_other_addresses_of_databases_are_taken(tmp_path: Path, url: str) -> None:
    assert _config(tmp_path, SOCKET + "database: ${DB}\n", {"DB": url}).database == url


def test_every_secret_of_the_models_is_known_as_one() -> None:
    def secrets(model: type[BaseModel]) -> set[str]:
        found: set[str] = set()
        for name, field in model.model_fields.items():
            for kind in (field.annotation, *typing.get_args(field.annotation)):
                if kind is SecretStr:
                    found.add(name)
                elif isinstance(kind, type) and issubclass(kind, BaseModel):
                    found |= secrets(kind)
        return found

    assert secrets(Config) == SECRET_KEYS


def test_a_secret_of_a_runbooks_command_does_not_stand_in_the_file(tmp_path: Path) -> None:
    env = "{DB_PASSWORD: w0rd, REGION: eu, KEY_FILE: /etc/key, TOKEN: ${S}}"
    text = f"runbooks: {{actions: {{again: {{command: [/bin/true], env: {env}}}}}}}\n"
    (fault,) = _load(tmp_path, SOCKET + text, {"S": "x"}).faults
    assert fault.message == (
        "`DB_PASSWORD` is a secret; put it into the environment and write ${NAME}"
    )


def test_secrets_may_stand_in_the_file_of_the_local_workspace(tmp_path: Path) -> None:
    text = "slack: {mode: local}\nsources: [{name: own, kind: generic, secret: demo}]\n"
    assert _config(tmp_path, text).sources[0].secret.get_secret_value() == "demo"


def test_a_demo_that_listens_beyond_this_machine_is_warned_of(tmp_path: Path) -> None:
    loaded = _load(tmp_path, "slack: {mode: local}\nlisten: 0.0.0.0:80\nfallback: [a@b.c]\n")
    assert [f"{w.line}: {w.message}" for w in loaded.warnings] == [
        "2: with slack.mode `local` the secrets are known; listen on 127.0.0.1 only"
    ]


# --- paths, defaults, look-ups -------------------------------------------------------------


def test_relative_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    text = SOCKET + "database: sqlite:///var/w.db\nroster: r.csv\ncatalogue: [c.yaml]\n"
    config = _config(tmp_path, text)
    assert config.database == f"sqlite:///{tmp_path}/var/w.db"
    assert config.roster == f"{tmp_path}/r.csv"
    assert config.catalogue == (f"{tmp_path}/c.yaml",)


@pytest.mark.parametrize(
    "line",
    [
        "database: sqlite:////abs/w.db",
        "database: 'sqlite:///:memory:'",
        "database: postgresql://bot@db/x",
        "roster: google-sheet:abc",
        "roster: /abs/r.csv",
    ],
)
def test_other_places_stay_as_they_are(tmp_path: Path, line: str) -> None:
    config = _config(tmp_path, f"{SOCKET}google: {{credentials: /k.json}}\n{line}\n")
    key, _, value = line.partition(": ")
    assert getattr(config, key) == value.strip("'")


def test_the_key_of_google_is_relative_to_the_file(tmp_path: Path) -> None:
    config = _config(tmp_path, f"{SOCKET}google: {{credentials: k.json}}\n")
    assert config.google is not None
    assert config.google.credentials == f"{tmp_path}/k.json"
    assert config.google.sheets_url == "https://sheets.googleapis.com/"
    assert config.roster_poll == timedelta(seconds=10)


def test_the_smallest_configuration_has_every_default(tmp_path: Path) -> None:
    loaded = _load(tmp_path, "slack: {mode: local}\n")
    assert loaded.config is not None
    assert loaded.parts is not None
    assert loaded.config.listen == "127.0.0.1:8080"
    assert loaded.config.base_url == "http://127.0.0.1:8080"
    assert loaded.config.retention == timedelta(days=90)
    assert [route.name for route in loaded.parts.routes] == ["everything"]
    assert loaded.parts.pages == {Priority.P1, Priority.P2, Priority.P3}


def test_the_configuration_cannot_be_changed(tmp_path: Path) -> None:
    config = _config(tmp_path, SOCKET)
    with pytest.raises(ValidationError, match="frozen"):
        config.listen = "0.0.0.0:1"


def test_look_ups(tmp_path: Path) -> None:
    text = SOCKET + (
        "public_url: https://watchbill.example/\n"
        "people: [{name: Ana Ruiz, email: Ana@Example.com}, {name: Bo, slack: U1}]\n"
        'rotations: {data: {zone: Europe/Berlin, handoff: "8:30"}, other: {}}\n'
        "webhooks: [{name: pager, url: https://pager.example}]\n"
        "sources: [{name: own, kind: generic, secret: ${SLACK_BOT_TOKEN}}]\n"
    )
    config = _config(tmp_path, text)
    assert config.base_url == "https://watchbill.example"
    assert config.directory().find("ana ruiz").key == "ana@example.com"
    assert config.directory().find("Bo").key == "slack:U1"
    assert config.rotations["data"].handoff == time(8, 30)
    assert config.rotations["other"].handoff == time(9)
    assert config.first_rotation == "data"
    assert (source := config.source("own")) is not None
    assert source.kind == "generic"
    assert config.source("nobody") is None
    assert (webhook := config.webhook("pager")) is not None
    assert webhook.url == "https://pager.example"
    assert config.webhook("nobody") is None


@pytest.mark.parametrize(
    ("listen", "parts"),
    [("127.0.0.1:80", ("127.0.0.1", 80)), ("[::1]:0", ("::1", 0)), ("host:8080", ("host", 8080))],
)
def test_addresses_are_split(listen: str, parts: tuple[str, int]) -> None:
    assert split_address(listen) == parts


@pytest.mark.parametrize("listen", ["127.0.0.2:1", "[::1]:1", "localhost:0"])
def test_the_local_workspace_listens_on_loopback(listen: str) -> None:
    assert LocalWorkspaceSpec(listen=listen).listen == listen


# --- the rulebook --------------------------------------------------------------------------


def test_packs_are_read_in_name_order_and_the_configuration_last(tmp_path: Path) -> None:
    packs = tmp_path / "team"
    packs.mkdir()
    (packs / "a.yaml").write_text("ack_timeout: 1h\nack_confirm: 1m\nstorm: {incidents: 5}\n")
    (packs / "b.yaml").write_text("ack_timeout: 2h\nack_confirm: 2m\n")
    text = SOCKET + "rulebook: [rules/packs, team]\nack_confirm: 3m\nstorm: {within: 5m}\n"
    parts = _load(tmp_path, text).parts
    assert parts is not None
    assert parts.ack_timeout == timedelta(hours=2)
    assert parts.ack_confirm == timedelta(minutes=3)
    assert (parts.storm.incidents, parts.storm.within) == (5, timedelta(minutes=5))


def test_a_fault_of_a_pack_names_the_pack(tmp_path: Path) -> None:
    (tmp_path / "team.yaml").write_text("routes:\n  - {name: x, polcy: y}\n")
    loaded = _load(tmp_path, SOCKET + "rulebook: [rules/packs, team.yaml]\n")
    assert [str(fault) for fault in loaded.faults] == [
        "team.yaml:2: unknown key `polcy`; did you mean `policy`?"
    ]


def test_the_references_of_a_pack_are_text(tmp_path: Path) -> None:
    (tmp_path / "team.yaml").write_text("escalation_policies: {'${A}': [{wait: 1m}]}\n")
    loaded = _load(tmp_path, SOCKET + "rulebook: [rules/packs, team.yaml]\n")
    assert loaded.parts is not None
    assert "${A}" in loaded.parts.policies


def test_the_roster_names_the_rotation_when_nobody_else_does(tmp_path: Path) -> None:
    span = Span(_instant(8), _instant(9), "data", "primary", ("ana@example.com",))
    parts = _load(tmp_path, SOCKET).parts
    assert parts is not None
    book = parts.rulebook(on_call=OnCall([span]))
    assert [route.rotation for route in book.routes] == ["data"]
    assert book.silences == ()


def test_working_hours_are_in_the_zone_of_the_first_rotation(tmp_path: Path) -> None:
    two = "rotations: {data: {zone: Europe/Berlin}, night: {zone: Asia/Tokyo}}\n"
    for more, zone in (("", "UTC"), (two, "Europe/Berlin")):
        parts = _load(tmp_path, SOCKET + more).parts
        assert parts is not None
        assert parts.priority_rules.holding.working_hours.zone == zone


def _instant(hour: int) -> datetime:
    return datetime(2026, 10, 3, hour, tzinfo=UTC)


# --- whatever is in the file ---------------------------------------------------------------

_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
_KEYS = st.sampled_from([*Config.model_fields, "x"]) | st.text(max_size=5)
_TREES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(_KEYS, _TREES, max_size=6))
def test_no_values_raise_anything(values: dict[str, object]) -> None:
    document, _ = parse(json.dumps(values), "config.yaml")
    if document is not None:
        config, faults = fit(document, Config)
        assert (config is None) == bool(faults)


# --- the document about it -----------------------------------------------------------------


def test_the_reference_is_up_to_date() -> None:
    written = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    assert written == reference(), "run python -m bot.config_reference"


def test_the_reference_explains_every_key() -> None:
    text = reference()
    for name in Config.model_fields:
        assert f"| `{name}` |" in text
    assert "None" not in text.replace("None: every alert", "")


def test_the_reference_is_written_where_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs").mkdir()
    config_reference.main()
    assert (tmp_path / "docs/configuration.md").read_text(encoding="utf-8") == reference()


def test_zones_are_those_of_the_pinned_tables_whatever_the_system_has() -> None:
    asked = """
from datetime import UTC, datetime
from zoneinfo import TZPATH, ZoneInfo
from bot.config.settings import use_our_zones
use_our_zones()
import zoneinfo
at = datetime(2026, 11, 9, 9, tzinfo=ZoneInfo("America/Vancouver"))
print(zoneinfo.TZPATH, at.astimezone(UTC).isoformat())
"""
    told = subprocess.run([sys.executable, "-c", asked], check=True, capture_output=True, text=True)
    assert told.stdout.split() == ["()", "2026-11-09T16:00:00+00:00"]
