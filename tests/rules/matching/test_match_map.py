"""Matchers as a YAML map say what the row of texts says, and their faults have places."""

import pytest

from rules.documents.rulebook_spec import RulebookSpec
from rules.documents.strict_yaml import read
from rules.matching.matcher import conditions_of, parse_matchers


def _match(written: str) -> tuple[str, ...]:
    spec, faults = read(f"routes:\n  - {{name: a, match: {written}}}", RulebookSpec, "r.yaml")
    assert spec is not None, faults
    return spec.routes[0].match


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{team: finance}", "team=finance"),
        ("{team: [finance, risk]}", "team in [finance, risk]"),
        ('{dag_id: "daily_*"}', "dag_id like daily_*"),
        ("{dag_id: [daily_*, hourly]}", "dag_id like [daily_*, hourly]"),
        ("{env: {not: staging}}", "env!=staging"),
        ("{env: {not: [staging, dev]}}", "env not in [staging, dev]"),
        ("{env: {not: dev_*}}", "env not like dev_*"),
        ('{title: {regex: "a.*"}}', "title=~a.*"),
        ('{title: {not_regex: "a b.*", not: x}}', 'title!~"a b.*" title!=x'),
        ("{tier: 1}", "tier=1"),
        ("{tier: [1, 2]}", "tier in [1, 2]"),
        ("{ratio: 0.5, nightly: true}", "ratio=0.5|nightly=true"),
        ('{owner: ""}', 'owner=""'),
        ('{title: ["a, b", "c]"]}', 'title in ["a, b", "c]"]'),
        ("{team: [finance]}", "team in [finance]"),
    ],
)
def test_a_map_says_what_a_row_says(written: str, said: str) -> None:
    found = _match(written)
    assert found == tuple(said.split("|"))
    assert all(parse_matchers(one)[1] == "" for one in found)


def test_the_text_form_stays_exact() -> None:
    (made,) = conditions_of(_match('"dag_id=daily_*"'), "")
    assert made.holds({"dag_id": "daily_*"})
    assert not made.holds({"dag_id": "daily_orders"})


BROKEN = """routes:
  - name: a
    match:
      team: []
      env: {nott: staging}
      dag: "*"
      owner: null
      "1x": y
      title: {regex: "(a+)+"}
      note: {}
      list: [[a]]
      regex: {regex: 1}
  - {name: b, match: "team in [finance"}
  - {name: c, when: 'alert.sverity == "x"'}
  - {name: d, wen: 'true'}
  - {name: e, match: 7}
"""


def test_each_fault_of_a_map_has_its_line() -> None:
    _, faults = read(BROKEN, RulebookSpec, "r.yaml")
    assert [str(fault) for fault in faults] == [
        "r.yaml:4: `team`: the list is empty",
        "r.yaml:5: `env`: unknown key `nott`; did you mean `not`?",
        'r.yaml:6: `dag`: * fits every value; for any value at all write label!=""',
        'r.yaml:7: `owner`: has no value; for an absent label write ""',
        'r.yaml:8: this key: "1x" cannot be a label; it begins with a letter or _',
        "r.yaml:9: `title`: a bracket cannot be repeated or looked ahead of; write it out",
        "r.yaml:10: `note`: says nothing; write a value, a list, or {not: staging}",
        "r.yaml:11: `list`: must be text",
        "r.yaml:12: `regex`: `regex` must be text",
        "r.yaml:13: `match`: cannot read the list of team; write it like team in [finance, risk]",
        "r.yaml:14: `when`: there is no `alert.sverity`; did you mean `alert.severity`?",
        "r.yaml:15: unknown key `wen`; did you mean `when`?",
        "r.yaml:16: `match` must be a list",
    ]
