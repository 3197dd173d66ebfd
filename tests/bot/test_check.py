"""`check`: one broken file and its expected findings for every fault there is."""

import json
import re
from pathlib import Path

import pytest

from bot.check import CatalogueFindings, CheckReport, RosterFindings, check
from bot.config.settings import Config
from rules.catalogue import Product
from rules.documents.yaml_document import Fault

ROOT = Path(__file__).parents[2]
BROKEN = sorted((ROOT / "tests/payloads/broken_configs").glob("*.yaml"))
ENVIRONMENT = {
    "SLACK_BOT_TOKEN": "xoxb-1",
    "SLACK_APP_TOKEN": "xapp-1",
    "AIRFLOW_SECRET": "0123456789abcdef",
    "EMPTY": "",
    "SHORT": "short",
    "DB": "mysql://root:hunter2@db/x",
}
LOCAL = "slack: {mode: local}\nroster: roster.csv\nfallback: [lead@example.com]\n"


def _expected(path: Path) -> list[str]:
    lines = re.findall(r"^# expect (.*)$", path.read_text(), re.MULTILINE)
    return [f"{path}:{line}" if re.match(r"\d+:", line) else line for line in lines]


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_a_broken_config_says_what_is_wrong_and_where(path: Path) -> None:
    report = check(path, ENVIRONMENT)
    assert report.lines() == _expected(path)
    assert report.exit_status == (0 if report.summary.startswith("0 faults") else 1)


def test_there_are_broken_configs_enough() -> None:
    assert len(BROKEN) > 50
    assert all(_expected(path) for path in BROKEN)


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_no_finding_tells_a_secret(path: Path) -> None:
    told = json.dumps(check(path, ENVIRONMENT).json()) + "\n".join(check(path, ENVIRONMENT).lines())
    assert "hunter2" not in told
    assert "12345678" not in told
    assert ENVIRONMENT["DB"] not in told


def test_the_shipped_configuration_is_clean() -> None:
    report = check(ROOT / "config.yaml", {})
    assert report.lines() == ["0 faults, 0 warnings"]
    assert report.exit_status == 0


def test_a_missing_file_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    missing = f"{path}: there is no such file; name yours with -c"
    assert check(path, {}).lines() == [missing, "1 fault, 0 warnings"]


def test_a_folder_is_a_fault(tmp_path: Path) -> None:
    assert check(tmp_path, {}).lines()[0] == f"{tmp_path}: cannot be read: Is a directory"


def test_whom_mail_trusts_must_be_there_and_readable(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(LOCAL + "contact: {email: {host: m, from: a@b.c, ca_file: ca.pem}}\n")
    (missing,) = check(path, {}).faults
    (tmp_path / "ca.pem").write_text("no certificate")
    (broken,) = check(path, {}).faults
    assert (missing.line, broken.line) == (4, 4)
    assert missing.message.endswith("ca.pem: No such file or directory")
    assert "ca.pem: " in broken.message


def test_text_that_is_not_utf8_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes(b"slack:\n  mode: \xff\xfe\n")
    assert check(path, {}).lines()[0] == f"{path}:2: not UTF-8 text; save the file as UTF-8"


def test_a_file_of_over_a_megabyte_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("# " + "x" * 5_000_000)
    assert check(path, {}).lines()[0] == f"{path}:1: larger than 1 MB; split the file"


def test_a_byte_order_mark_is_harmless(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(LOCAL, encoding="utf-8-sig")
    assert check(path, {}).lines() == ["0 faults, 0 warnings"]


def test_json_has_each_finding_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(LOCAL + "listn: 127.0.0.1:1\n")
    assert check(path, {}).json() == {
        "ok": False,
        "faults": [
            {
                "file": str(path),
                "line": 4,
                "column": 1,
                "message": "unknown key `listn`; did you mean `listen`?",
            }
        ],
        "warnings": [],
    }


def test_findings_are_in_order_of_place() -> None:
    report = CheckReport(
        faults=(Fault("b.yaml", 2, 1, "two"), Fault("a.yaml", 10, 1, "ten")),
        warnings=(Fault("a.yaml", 9, 1, "nine: odd"),),
    )
    assert report.lines() == [
        "a.yaml:9: warning: nine: odd",
        "a.yaml:10: ten",
        "b.yaml:2: two",
        "2 faults, 1 warning",
    ]


class Rosters:
    """A roster that was read with these findings, and the configurations that asked."""

    def __init__(self, findings: RosterFindings) -> None:
        self.findings = findings
        self.asked: list[str] = []

    def __call__(self, config: Config) -> RosterFindings:
        self.asked.append(config.roster or "")
        return self.findings


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(
        LOCAL
        + "routes:\n"
        + "  - {name: finance, match: team=finance, rotation: finanse}\n"
        + "  - {name: everything, rotation: data}\n"
        + "escalation_policies:\n"
        + "  default:\n"
        + "    - {page: [{on_call: primary}, {next_on_call: secondry}], wait: 5m}\n"
    )
    return path


def test_the_roster_is_read_and_its_findings_counted(config: Path, tmp_path: Path) -> None:
    roster = Rosters(
        RosterFindings(
            faults=(Fault("roster.csv", 3, 2, "B3: no such day"),),
            warnings=(Fault("roster.csv", 9, 1, "a gap"),),
        )
    )
    assert check(config, {}, roster).lines() == [
        "roster.csv:3: B3: no such day",
        "roster.csv:9: warning: a gap",
        "1 fault, 1 warning",
    ]
    assert roster.asked == [str(tmp_path / "roster.csv")]


def test_routes_and_steps_are_checked_against_the_roster(config: Path) -> None:
    known = frozenset({"primary", "secondary"})
    roster = Rosters(RosterFindings(roles={"data": known, "finance": known}))
    assert check(config, {}, roster).lines() == [
        f'{config}:5: the roster has no rotation "finanse"; did you mean `finance`?',
        (
            f'{config}:8: warning: policy "default" pages the role "secondry", which rotation "data" '
            "does not have; did you mean `secondary`?"
        ),
        "1 fault, 1 warning",
    ]


def test_a_shared_calendar_needs_its_key_and_a_rotation(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(
        LOCAL
        + "calendar:\n"
        + "  google:\n"
        + "    credentials: key.json\n"
        + "    calendars: {data: a@example.com, datta: b@example.com}\n"
    )
    roster = Rosters(RosterFindings(roles={"data": frozenset({"primary", "secondary"})}))
    key = tmp_path / "key.json"
    assert check(path, {}, roster).lines() == [
        f"{path}:6: calendar.google.credentials: {key} cannot be read: No such file or directory.",
        (
            f"{path}:7: warning: its calendar is not written: "
            'the roster has no rotation "datta"; did you mean `data`?'
        ),
        "1 fault, 1 warning",
    ]
    key.write_text("{}")
    assert f"{key} is no key of a service account." in check(path, {}, roster).lines()[0]


def test_a_roster_is_not_read_while_the_configuration_is_broken(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(LOCAL + "listn: x\n")
    roster = Rosters(RosterFindings())
    assert check(path, {}, roster).exit_status == 1
    assert roster.asked == []


@pytest.mark.parametrize(
    ("run", "warnings"),
    [
        ("{name: nightly, product: orders}", []),
        ("{name: nightly, product: Orders of the shop}", []),
        ("{name: orders, product: orders}", []),
        ("{name: nightly}", []),
        ("{name: unscheduled}", []),
        (
            "{name: nightly, product: order}",
            ['the catalogue has no data product "order"; did you mean `orders`?'],
        ),
        (
            "{name: orders}",
            [
                (
                    'a data product is called "orders" as well, and its own schedule is not '
                    "watched; add `product: orders`, or name one of them otherwise"
                )
            ],
        ),
    ],
)
def test_an_expected_run_that_leaves_a_product_alone_is_told(
    tmp_path: Path, run: str, warnings: list[str]
) -> None:
    more = "{source: airflow, pipeline: nightly, schedule: 0 5 * * *, "
    path = tmp_path / "config.yaml"
    path.write_text(
        f"{LOCAL}catalogue: [catalogue.yaml]\n"
        "sources: [{name: airflow, kind: airflow}]\n"
        f"expected_runs: [{more}{run[1:]}]\n"
    )
    products = (
        Product(id="orders", name="Orders of the shop", schedule="0 5 * * *"),
        Product(id="unscheduled", name="Unscheduled"),
    )
    report = check(path, {}, read_catalogue=lambda _: CatalogueFindings(products=products))
    assert [one.message for one in report.warnings] == warnings
    assert report.faults == ()
