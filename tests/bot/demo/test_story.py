"""The story as data: in order, and of one piece."""

from string import Formatter

from bot.demo.story import LAST, PRIMARY, SECONDARY, STORY, Click, SplitOff, Type


def test_the_story_is_in_the_order_of_time() -> None:
    minutes = [beat.minute for beat in STORY]
    assert minutes == sorted(minutes)
    assert len(set(minutes)) == len(minutes)


def test_nothing_is_named_before_it_was_opened() -> None:
    known = {PRIMARY, SECONDARY}
    for beat in STORY:
        text = beat.deed.text if isinstance(beat.deed, Type) else ""
        named = {name for _, name, _, _ in Formatter().parse(beat.text + text) if name}
        if isinstance(beat.deed, Click | SplitOff):
            named.add(beat.deed.about)
        if beat.only_while:
            named.add(beat.only_while[0])
        assert named <= known, beat
        if beat.opens:
            known.add(beat.opens[0])
        assert {until.about for until in beat.until} - {""} <= known, beat
    assert {name for _, name, _, _ in Formatter().parse(LAST) if name} <= known
