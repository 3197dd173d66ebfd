"""Words an entry is found by."""

from rules.journal.words import MOST_WORDS, SameWords, parts_of, spellings, words_of


def test_identifiers_are_taken_apart_and_kept_whole() -> None:
    assert words_of("load_orders") == ("load", "order", "loadorder" + "s")
    assert {"fct", "daily", "revenu", "fctdailyrevenue"} <= set(
        words_of("analytics.marts.fctDailyRevenue")
    )


def test_endings_and_case_do_not_matter() -> None:
    assert words_of("Duplicated rows") == words_of("duplicates, ROW")
    assert words_of("timing out") != words_of("order")
    assert words_of("failed failing fails") == ("fail",)
    assert words_of("freshness status") == ("freshness", "status")


def test_runs_dates_and_filler_words_say_nothing() -> None:
    assert words_of("the 2026-11-22 at 20261122T0500 8f3a9c1d22ee 42 it was") == ()
    assert words_of("HTTP 404 exit 137") == ("404", "exit", "137")


def test_texts_of_other_alphabets_and_hostile_ones_have_words_too() -> None:
    assert words_of("Verspätung Überfällige") == ("verspätung", "überfällig")
    assert words_of("<!channel> \"x' OR 1=1 --") == ("channel",)
    assert all(word.isalnum() for word in words_of("a_b'c\"d*e(f) é\u0301 \ud800 ½ x²y"))


def test_a_word_with_accents_is_found_without_them_too() -> None:
    assert spellings("verspätung") == ("verspätung", "verspatung")
    assert spellings("café") == ("café", "caf")
    assert spellings("order") == ("order",)
    assert spellings("주문") == ("주문",)
    assert words_of("İstanbul") == ("istanbul",)


def test_parts_of_an_identifier_are_what_it_is_without_the_whole() -> None:
    assert parts_of("fct_orders dailyLoad late") == ("fct", "order", "daily", "load", "lat")


def test_no_text_is_too_long() -> None:
    assert (
        len(words_of(" ".join(f"word{chr(97 + n % 26)}x{n}y" for n in range(9_000)))) <= MOST_WORDS
    )


def test_words_of_one_meaning_are_one() -> None:
    same = SameWords((("late", "stale", "overdue"), ("null", "missing")))
    assert same.meanings(words_of("stale orders overdue")) == (
        words_of("late stale overdue"),
        ("order",),
    )
    assert same.like("order") == ("order",)


def test_a_group_that_is_added_counts_in_both_directions() -> None:
    same = SameWords((("late", "lagging", "lag", "behind"), ("backlog", "lag", "behind")))
    assert set(same.like("lag")) == {"lat", "lag", "behind", "backlog"}
    assert "lag" in same.like("backlog")
    assert "backlog" not in same.like("lat"), "what shares no group is not the same"
