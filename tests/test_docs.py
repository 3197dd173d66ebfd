"""What the documents say is so: commands, words, links, configurations, rosters, addresses."""

import configparser
import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from aiohttp import web

from bot.cli.main import app as command_line
from bot.clock import SystemClock
from bot.config.file import load
from bot.config.settings import Config
from bot.metrics import Metrics
from bot.roster.csv_table import read_csv
from bot.roster.parse import parse as parse_roster
from bot.roster.settings import RosterSettings
from bot.roster.table import Severity
from bot.slack.commands import parse as parse_command
from bot.slack.vocabulary import WORDS
from bot.slack.wishes import Typist
from bot.sources.configured import mapping_fault
from bot.sources.kind import Source, SourceKind, UnreadableError
from bot.store.backups.settling import SETTLE
from bot.web.app import WebParts, build_web
from bot.web.hooks import Hooks
from bot.web.probes import Probes
from rules.alert import AlertStatus
from rules.people import People, Person
from rules.rotation import OnCall
from rules.schedule.resolution import resolve_shifts
from tests.bot.sources.test_hostile import BODIES, check
from tests.fakes.deliveries import delivery
from tests.fakes.inbox import FakeInbox

REPO = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted(
    [*REPO.glob("*.md"), *REPO.glob("docs/**/*.md"), *REPO.glob("integrations/*/*.md")]
)
NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
PEOPLE = People(
    [
        Person("ana@example.com", "Ana Ruiz", "ana@example.com", "", "Europe/Madrid"),
        Person("bo@example.com", "Bo Chen", "bo@example.com", "@bo", "Europe/Berlin"),
        Person("slack:U0123ABCD", "Cy Haddad", "", "U0123ABCD", "Europe/Berlin"),
    ]
)
SOURCES = ("generic", "alertmanager", "airflow", "dbt", "ci", "checks")


def name_of(path: Path) -> str:
    return str(path.relative_to(REPO))


@dataclass(frozen=True)
class Block:
    """A fenced block, without the indentation of the list it stands in."""

    document: Path
    language: str
    text: str
    line: int

    def __str__(self) -> str:
        return f"{name_of(self.document)}:{self.line}"


def blocks(*languages: str) -> list[Block]:
    found = []
    for document in DOCUMENTS:
        text = document.read_text()
        for match in re.finditer(r"^( *)```(\w*)\n(.*?)^\1```$", text, re.DOTALL | re.MULTILINE):
            indent, language, body = match.groups()
            if language in languages:
                lines = [line.removeprefix(indent) for line in body.splitlines()]
                line = text.count("\n", 0, match.start()) + 1
                found.append(Block(document, language, "\n".join(lines) + "\n", line))
    return found


def commands(group: Any, before: str = "") -> Iterator[str]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{before}{name} ")
        else:
            yield f"{before}{name}"


ALL_COMMANDS = sorted(commands(typer.main.get_command(command_line)))


# commands and words


def command_rows() -> list[str]:
    """Return the commands of the tables: all stand in the readme or in their own guide."""
    pages = [REPO / "README.md", REPO / "docs/catalogue.md", REPO / "docs/corrections.md"]
    pages += [REPO / "docs/expected_runs.md", REPO / "docs/calendar.md", REPO / "docs/journal.md"]
    pages += [REPO / "docs/access-backends.md", REPO / "docs/runbooks.md", REPO / "docs/access.md"]
    pages += [REPO / "docs/contact.md"]
    rows = [
        row.strip()
        for page in pages
        for row in re.findall(
            r"^\| `watchbill ([a-z]+(?:[ -][a-z]+)*)", page.read_text(), re.MULTILINE
        )
    ]
    return sorted(set(rows))


@pytest.mark.parametrize("command", ALL_COMMANDS)
def test_a_table_names_every_command(command: str) -> None:
    assert command in command_rows()


def test_the_tables_name_no_other_command() -> None:
    assert command_rows() == ALL_COMMANDS


def test_the_readme_says_of_every_word_what_the_help_says() -> None:
    text = (REPO / "README.md").read_text()
    after = text[text.index("| `/oncall …` |") :].split("\n\n")[0]
    rows = re.findall(r"^\| `(.+)` \| (.+) \|$", after, re.MULTILINE)
    said = {usage.replace("\\|", "|"): does for usage, does in rows if usage != "/oncall …"}
    assert said == {word.usage: word.does for word in WORDS.values()}


def shell_lines() -> list[tuple[str, str]]:
    """Return where it stands, and each command of the shell blocks on one line."""
    return [
        (str(block), line.strip())
        for block in blocks("sh")
        for line in block.text.replace("\\\n", " ").splitlines()
        if line.strip() and not line.strip().startswith("#")
    ]


def watchbill_lines() -> list[tuple[str, str]]:
    inline = [
        (name_of(document), match)
        for document in DOCUMENTS
        for match in re.findall(r"`(watchbill [^`]+)`", document.read_text())
    ]
    return [*((at, line) for at, line in shell_lines() if line.startswith("watchbill ")), *inline]


@pytest.mark.parametrize(("at", "line"), watchbill_lines())
def test_every_call_of_the_command_line_parses(at: str, line: str) -> None:
    words = shlex.split(line, comments=True)[1:]
    command: Any = typer.main.get_command(command_line)
    while words and hasattr(command, "commands"):
        assert words[0] in command.commands, f"{at}: {line}"
        command = command.commands[words.pop(0)]
    known = {option for one in command.params for option in one.opts} | {"--help"}
    assert {word for word in words if word.startswith("-")} <= known, f"{at}: {line}"


def test_make_has_every_target_that_is_named() -> None:
    targets = re.findall(r"^(\w[\w-]*):", (REPO / "Makefile").read_text(), re.MULTILINE)
    for document in DOCUMENTS:
        named = re.findall(
            r"(?:`|^)make ((?:[a-z-]+ ?)+)(?:`|$|#| {2,})", document.read_text(), re.MULTILINE
        )
        assert {word for one in named for word in one.split()} <= set(targets), name_of(document)


# links and addresses


def anchors(document: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}


def links() -> list[tuple[Path, str]]:
    return [
        (document, target)
        for document in DOCUMENTS
        for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text())
        if not re.match(r"https?:|mailto:", target)
    ]


@pytest.mark.parametrize(("document", "target"), links(), ids=lambda one: str(one)[-60:])
def test_every_link_inside_leads_somewhere(document: Path, target: str) -> None:
    file, _, anchor = target.partition("#")
    led_to = (document.parent / file).resolve() if file else document
    assert led_to.exists(), f"{name_of(document)} leads to {target}"
    if anchor:
        assert anchor in anchors(led_to), f"{name_of(document)} leads to {target}"


async def test_every_address_of_ours_is_served() -> None:
    clock, metrics = SystemClock(), Metrics()
    hooks = Hooks({}, inbox=FakeInbox(), clock=clock, metrics=metrics)

    async def slack_events(_request: web.Request, _body: bytes) -> web.StreamResponse:
        raise AssertionError("not called")

    app = build_web(WebParts(hooks=hooks, probes=Probes({}, metrics), slack_events=slack_events))
    patterns = [re.sub(r"\{\w+\}", "[^/]+", r.canonical) for r in app.router.resources()]
    address = re.compile(
        r"http://127\.0\.0\.1:8080(/[^\s\"'`]*)|https://watchbill\.example(/[\w/]+)"
    )
    found = 0
    for document in DOCUMENTS:
        for match in address.finditer(document.read_text()):
            path = match[1] or match[2]
            found += 1
            assert any(re.fullmatch(one, path) for one in patterns), f"{name_of(document)}: {path}"
    assert found > 8


@pytest.mark.parametrize(("at", "line"), [one for one in shell_lines() if " @" in one[1]])
def test_every_file_that_is_sent_is_there(at: str, line: str) -> None:
    for file in re.findall(r"@(tests/[\w./]+)", line):
        assert (REPO / file).exists(), f"{at}: {file}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_recorded_body_that_is_named_is_there(document: Path) -> None:
    for file in re.findall(r"tests/payloads/[\w/]+\.json", document.read_text()):
        if "/beacon/" not in file:  # the invented vendor of adding.md
            assert (REPO / file).exists(), file


# configurations


ANY_SOURCES = """
sources:
  - {name: airflow, kind: airflow, secret: 0123456789abcdef}
  - {name: cron, kind: generic, secret: 0123456789abcdef}
"""


def configurations() -> list[Block]:
    """Return every block that is a configuration or a part of one, by its keys."""
    return [
        one
        for one in blocks("yaml")
        if (keys := re.findall(r"^(\w+):", one.text, re.MULTILINE))
        and set(keys) <= set(Config.model_fields)
    ]


@pytest.mark.parametrize("block", configurations(), ids=str)
def test_every_configuration_loads(block: Block, tmp_path: Path) -> None:
    text = block.text
    if not text.startswith("# config.yaml\n"):  # a part of one
        text += "slack: {mode: local}\n"
        text += "" if re.search(r"^sources:", text, re.MULTILINE) else ANY_SOURCES
    file = tmp_path / "config.yaml"
    file.write_text(text)
    names = re.findall(r"\$\{(\w+)\}", text)
    environ = {name: f"xoxb-xapp-{name}-0123456789" for name in names}
    environ["DATABASE_URL"] = "postgresql://watchbill:secret@host/watchbill"
    loaded = load(file, environ)
    assert loaded.config is not None, [str(fault) for fault in loaded.faults]
    assert not [fault for source in loaded.config.sources if (fault := mapping_fault(source))]


def test_there_are_configurations_to_load() -> None:
    assert len(configurations()) > 50


def test_the_readmes_configuration_goes_without_socket_mode_as_it_says(tmp_path: Path) -> None:
    readme = REPO / "README.md"
    (block,) = [one for one in configurations() if one.document == readme]
    text = block.text.replace("mode: socket", "mode: http") + "public_url: https://x.example\n"
    text = text.replace("app_token: ${SLACK_APP_TOKEN}", "signing_secret: ${SLACK_SIGNING_SECRET}")
    file = tmp_path / "config.yaml"
    file.write_text(text)
    names = ("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "GENERIC_SECRET")
    loaded = load(file, dict.fromkeys(names, "xoxb-0123456789abcdef"))
    assert [str(one) for one in loaded.faults] == []
    assert loaded.config is not None
    assert loaded.config.slack.mode == "http"


def test_the_least_that_the_chart_needs_is_a_whole_configuration(tmp_path: Path) -> None:
    (block,) = [one for one in blocks("yaml") if one.text.startswith("# values.yaml")]
    shipped = yaml.safe_load((REPO / "deploy/helm/watchbill/values.yaml").read_text())
    given = yaml.safe_load(block.text)
    assert set(given) <= set(shipped)
    config = {**shipped["config"], **given["config"]}
    config["slack"] = {**shipped["config"]["slack"], **given["config"]["slack"]}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    environ = {
        "DATABASE_URL": "postgresql://watchbill:secret@host/watchbill",
        "SLACK_BOT_TOKEN": "xoxb-1",
        "SLACK_APP_TOKEN": "xapp-1",
        "AIRFLOW_SECRET": "0123456789abcdef",
    }
    loaded = load(tmp_path / "config.yaml", environ)
    assert [str(one) for one in (*loaded.faults, *loaded.warnings)] == []
    assert loaded.config is not None
    (roster,) = [one.text for one in blocks("csv") if one.document.name == "README.md"]
    settings = RosterSettings(rotation="data-platform")
    people = loaded.config.directory()
    problems = parse_roster(read_csv(roster.encode()), people, settings, NOW).problems
    assert [str(one) for one in problems if one.severity is Severity.ERROR] == []


@pytest.mark.parametrize(
    "block", [one for one in blocks("yaml") if one.text.startswith("# alertmanager")], ids=str
)
def test_alertmanagers_receiver_sends_to_a_hook_with_our_secret(block: Block) -> None:
    (receiver,) = yaml.safe_load(block.text)["receivers"]
    (hook,) = receiver["webhook_configs"]
    assert hook["url"].endswith("/hooks/alertmanager")
    assert hook["http_config"]["authorization"]["credentials_file"]


# rosters


@pytest.mark.parametrize("block", blocks("csv"), ids=str)
def test_every_roster_can_be_read(block: Block) -> None:
    settings = RosterSettings(rotation="data-platform")
    parsed = parse_roster(read_csv(block.text.encode()), PEOPLE, settings, NOW)
    assert parsed.rows
    assert not [str(one) for one in parsed.problems if one.severity is Severity.ERROR]
    assert not [str(one) for one in parsed.problems if "is not read" in str(one)]


def oncall_examples() -> list[str]:
    roster = (REPO / "docs/roster.md").read_text()
    return re.findall(r"^\| `/oncall ([^`]+)` \|", roster, re.MULTILINE)


def test_the_overrides_of_the_roster_page_can_be_typed() -> None:
    grid = next(one for one in blocks("csv") if one.document.name == "roster.md")
    settings = RosterSettings(rotation="data-platform")
    rows = parse_roster(read_csv(grid.text.encode()), PEOPLE, settings, NOW).rows
    typist = Typist(
        by="ana@example.com", now=NOW, zone="Europe/Madrid", people=PEOPLE,
        on_call=OnCall(resolve_shifts(rows)),
    )  # fmt: skip
    assert oncall_examples()
    for example in oncall_examples():
        parse_command(example, typist)


# the example of a new source


def beacon() -> SourceKind:
    (block,) = [one for one in blocks("python") if one.document.name == "adding.md"]
    module: dict[str, Any] = {}
    exec(compile(block.text, str(block), "exec"), module)
    kind = module["KIND"]
    assert isinstance(kind, SourceKind)
    return kind


def test_the_example_of_a_source_reads_its_payload() -> None:
    (block,) = [one for one in blocks("json") if one.document.name == "adding.md"]
    source = Source(name="beacon", kind="beacon")
    (alert,) = beacon().parse(source, delivery(json.loads(block.text))).alerts
    assert (alert.dedup_key, alert.status) == ("orders-feed", AlertStatus.FIRING)
    assert alert.title == "orders-feed is late"
    assert alert.labels["team"] == "commerce"
    check(alert)


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_the_example_of_a_source_bears_hostile_bodies(body: bytes) -> None:
    try:
        parsed = beacon().parse(Source(name="beacon", kind="beacon"), delivery(body))
    except UnreadableError:
        return
    for alert in parsed.alerts:
        check(alert)


# what is deployed


def test_the_unit_runs_the_command_hardened() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(REPO / "deploy/watchbill.service")
    service = unit["Service"]
    assert shlex.split(service["ExecStart"])[1:3] == ["serve", "-c"]
    assert service["Restart"] == "always"
    assert int(service["TimeoutStopSec"]) > 30
    for key in ("NoNewPrivileges", "PrivateTmp", "DynamicUser"):
        assert service[key] == "yes"
    assert service["ProtectSystem"] == "strict"


def test_the_compose_file_builds_the_image_and_waits_for_the_database() -> None:
    compose = yaml.safe_load((REPO / "deploy/compose.yaml").read_text())
    bot, database = compose["services"]["watchbill"], compose["services"]["postgres"]
    assert (REPO / "deploy" / bot["build"] / "Dockerfile").resolve().exists()
    assert bot["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert bot["environment"]["DATABASE_URL"].endswith(
        f"@postgres/{database['environment']['POSTGRES_DB']}"
    )
    assert "pg_isready" in database["healthcheck"]["test"]
    assert re.fullmatch(r"[a-z]+:\d+", database["image"])


def test_a_database_restored_by_hand_is_told_the_same_as_by_the_command() -> None:
    text = (REPO / "docs/operations/backup.md").read_text()
    (block,) = re.findall(r"```sql\n(.*?)```", text, re.DOTALL)
    assert [line.rstrip(";") for line in block.splitlines()] == list(SETTLE)


# metrics


def test_the_operations_page_names_every_metric() -> None:
    text = (REPO / "docs/operations/metrics.md").read_text()
    families = {family.name for family in Metrics().registry.collect()}
    ours = {name for name in families if name.startswith("watchbill_")}
    assert ours
    assert not [name for name in sorted(ours) if f"`{name}" not in text]
