"""YAML text to checked values: scalars, places, bounds, and a fault for whatever is wrong."""

import time as stopwatch
from typing import Annotated, Literal

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from rules.documents.rulebook_spec import RulebookSpec
from rules.documents.strict_yaml import fit, parse, read
from rules.documents.yaml_document import Document, Fault


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    count: int = Field(default=1, ge=0, le=9)
    other: "Inner | None" = Field(default=None, alias="else")


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: str = ""
    one: Inner | None = None
    many: tuple[Inner, ...] = ()
    by_name: dict[str, Annotated[Inner, AfterValidator(lambda inner: inner)]] = {}
    mode: Literal["red", "blue"] = "red"
    on: bool = False


def _data(text: str) -> object:
    document, faults = parse(text, "a.yaml")
    assert faults == []
    assert document is not None
    return document.data


def _told(text: str) -> list[str]:
    value, faults = read(text, Outer, "a.yaml")
    assert (value is None) == bool(faults)
    return [f"{fault.line}:{fault.column}: {fault.message}" for fault in faults]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("yes", "yes"),
        ("off", "off"),
        ("true", True),
        ("False", False),
        ("18:00", "18:00"),
        ("2026-10-03", "2026-10-03"),
        ("017", 17),
        ("-3", -3),
        ("1_000", "1_000"),
        ("0x1F", "0x1F"),
        ("1.5", 1.5),
        ("1.2.3", "1.2.3"),
        (".inf", ".inf"),
        ("9" * 5000, "9" * 5000),
        ("~", None),
        ("", None),
        ("'~'", "~"),
        ('"5"', "5"),
        ("! 5", "5"),
        ("!!str 5", "5"),
        ("|\n  a\n  b\n", "a\nb\n"),
        ("日本", "日本"),
    ],
)
def test_scalars_are_those_of_yaml_1_2(written: str, value: object) -> None:
    assert _data(f"key: {written}") == {"key": value}


def test_keys_are_text() -> None:
    assert _data("1: a\ntrue: b\nnull: c\n") == {"1": "a", "true": "b", "null": "c"}


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "~"])
def test_an_empty_document_is_an_empty_map(text: str) -> None:
    assert _data(text) == {}


def test_an_alias_repeats_its_anchor() -> None:
    assert _data("a: &x {b: [1]}\nc: *x\nd: *x\n") == {
        "a": {"b": [1]},
        "c": {"b": [1]},
        "d": {"b": [1]},
    }


def test_a_value_knows_its_place() -> None:
    document, _ = parse("a:\n  - b: 1\n    c: [x,\n        y]\n", "a.yaml")
    assert document is not None
    assert document.places["a", 0, "c", 1] == (4, 9)
    assert document.key_places["a", 0, "c"] == (3, 5)
    assert document.value(("a", 0, "c", 1)) == "y"
    assert document.value(("a", 7, "c")) is None


def test_every_fault_is_told_with_line_and_column() -> None:
    text = """\
titel: x
one: {name: 5, cuont: 1}
many:
  - {count: -1, name: a}
  - {else: {nme: b}}
  - 7
by_name:
  a: {count: ten, name: a}
  b: {name: b, naem: c}
mode: rde
on: maybe
"""
    assert _told(text) == [
        "1:1: unknown key `titel`; did you mean `title`?",
        "2:13: `name` must be text, not a number; put it in quotes if it is text",
        "2:16: unknown key `cuont`; did you mean `count`?",
        "4:13: `count` must be at least 0",
        "5:5: `name` is missing in `many`",
        "5:6: `name` is missing in `else`",
        "5:13: unknown key `nme`; did you mean `name`?",
        "6:5: `many` must be a map of keys and values",
        "8:14: `count` must be a whole number",
        "9:16: unknown key `naem`; did you mean `name`?",
        '10:7: `mode` cannot be "rde"; did you mean `red`?',
        "11:5: `on` must be true or false",
    ]


def test_a_key_that_is_like_nothing_is_told_what_there_is() -> None:
    assert _told("one: {name: a, zzz: 1}") == [
        "1:16: unknown key `zzz`; known are `count`, `else`, `name`"
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title: true", "1:8: `title` must be text, not true or false; put it in quotes if it is text"),
        ("title: [a]", "1:1: `title` must be text"),
        ("title:", "1:7: `title` has no value"),
        ("many: {a: 1}", "1:1: `many` must be a list"),
        ("mode: [red]", "1:1: `mode` cannot be a list; did you mean `red`?"),
        ("one: {name: a, count: 10}", "1:23: `count` must be at most 9"),
        ("one: {name: a, count: 1.5}", "1:23: `count` must be a whole number"),
        ("- a", "1:1: the file must be a map of keys and values"),
        ("just text", "1:1: the file must be a map of keys and values"),
        ("title: a\ntitle: b\ntitle: c", "2:1: `title` is here twice; first on line 1"),
        ("one: {<<: {name: a}, name: b}", "1:7: merge keys (`<<`) are not read; repeat the keys"),
        ("? [a, b]\n: c", "1:3: a key must be a single word"),
        ("title: !x a", "1:8: tags are not read here; leave the `!...` out"),
        ("title: *x", "1:8: no anchor `&x` before this alias"),
        ("many: &x [*x]", "1:11: no anchor `&x` before this alias"),
        ("title: a\n---\ntitle: b", "2:1: a second document begins here; one file is one document"),
        ("one:\n\tname: a", "2:1: not YAML: indent with spaces, not with tabs"),
        ("title: 'a\nmode: red", "1:8: not YAML: found unexpected end of stream (while scanning a quoted scalar)"),
        ("title: \x00", "1:1: a character that cannot stand in YAML"),
        ("a: b\ntitle: \ud800", "2:1: a character that cannot stand in YAML"),
        ("[" * 60, "1:41: nested deeper than 40 levels"),
        ("title: ${A", "1:8: not here"),
    ],
)  # fmt: skip
def test_each_fault_has_its_words(text: str, message: str) -> None:
    def replace(text: str) -> str:
        raise ValueError("not here")

    document, faults = parse(text, "a.yaml", replace=replace)
    if document is not None:
        faults += fit(document, Outer)[1]
    told = [f"{fault.line}:{fault.column}: {fault.message}" for fault in faults]
    assert told[0] == message


def test_a_reference_may_stand_unquoted_in_a_flow_map() -> None:
    document, faults = parse(
        "one: {name: ${A:-x, y}, else: {name: a${B}}}", "a.yaml", replace=str.swapcase
    )
    assert faults == []
    assert document is not None
    assert document.data == {"one": {"name": "${a:-X, Y}", "else": {"name": "A${b}"}}}
    assert document.written == {
        ("one", "name"): "${A:-x, y}",
        ("one", "else", "name"): "a${B}",
    }


def test_without_a_replacement_a_reference_is_text() -> None:
    assert _data("a: ${NAME}") == {"a": "${NAME}"}


def test_a_message_shows_the_reference_and_not_what_replaced_it() -> None:
    _, faults = read("mode: ${A}", Outer, "a.yaml", replace=lambda _: "hunter2")
    assert [fault.message for fault in faults] == [
        '`mode` cannot be "${A}"; known are `blue`, `red`'
    ]


def test_a_message_that_would_tell_part_of_it_is_replaced() -> None:
    document = Document("a.yaml", {"a": "password-of-mine"}, written={("a",): "${A}"})
    told = document.without_replaced(("a",), "word-of-mine is odd")
    assert told == "the value of ${A} does not fit here"


def test_a_reference_without_value_is_one_fault() -> None:
    def replace(text: str) -> str:
        raise ValueError("no such name")

    _, faults = read("mode: ${A}\ntitel: x", Outer, "a.yaml", replace=replace)
    assert [fault.message for fault in faults] == [
        "no such name",
        "unknown key `titel`; did you mean `title`?",
    ]


def test_a_fault_prints_as_file_line_message() -> None:
    assert str(Fault("config.yaml", 12, 3, "odd")) == "config.yaml:12: odd"
    assert str(Fault("config.yaml", 0, 0, "odd")) == "config.yaml: odd"


def test_aliases_cannot_blow_up() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 20)]
    started = stopwatch.thread_time()
    document, faults = parse("\n".join(lines), "a.yaml")
    assert stopwatch.thread_time() - started < 5
    assert document is None
    assert [fault.message for fault in faults] == ["aliases make this document too large"]


def test_a_megabyte_is_the_most() -> None:
    assert (
        parse("# " + "x" * 1_000_000, "a.yaml")[1][0].message == "larger than 1 MB; split the file"
    )
    assert parse("# " + "x" * 900_000, "a.yaml")[1] == []


def test_thousands_of_faults_are_cut_short() -> None:
    _, faults = read("by_name:\n" + "".join(f"  k{n}: {n}\n" for n in range(500)), Outer, "a.yaml")
    assert len(faults) == 101
    assert faults[0] == Fault("a.yaml", 0, 0, "and 400 more of these")


@given(st.text())
@example("\ufeffa: 1")
@example("a: !<tag:yaml.org,2002:int> x")
@example("%YAML 1.1\n---\na: 1")
@example("&a [*a]")
@example("a: \U000f0024{x}")
def test_no_text_raises_anything(text: str) -> None:
    value, faults = read(text, RulebookSpec, "a.yaml")
    assert (value is None) == bool(faults)
    assert all(fault.line >= 1 and fault.message for fault in faults)


_YAML_SIGNS = st.text(alphabet=" \n\t-:[]{}&*!|>'\"%@`#?,~<a1$", max_size=60)


@given(_YAML_SIGNS)
def test_no_yaml_signs_raise_anything(text: str) -> None:
    for fault in read(text, Outer, "a.yaml", replace=str.upper)[1]:
        assert fault.line >= 1
        assert "\n" not in fault.message


_TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from([*RulebookSpec.model_fields, "name", "match", "page", "wait", "hours"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=25,
)


@given(_TREES)
def test_no_tree_raises_anything(tree: object) -> None:
    value, faults = read(yaml.safe_dump(tree, allow_unicode=True), RulebookSpec, "a.yaml")
    assert (value is None) == bool(faults)


def test_a_fault_is_one_short_line_without_hidden_signs() -> None:
    _, faults = read(r'{"x\u202egnp\u2028\ufeff": 1}', Outer, "a.yaml")
    assert faults
    assert all(str(fault).isprintable() for fault in faults)
    long = Fault("a.yaml", 1, 1, "y" * 9_000)
    assert len(str(long)) <= 1_000
