"""The story as data: in order, and of one piece."""

from string import Formatter

from bot.demo.aftermath import LAST
from bot.demo.beats import LATER, PRIMARY, SECONDARY, Click, Fill, Press, SplitOff, Type
from bot.demo.stage import LAST_NIGHT
from bot.demo.story import STORY


def test_the_story_is_in_the_order_of_time() -> None:
    minutes = [(beat.night, beat.minute) for beat in STORY]
    assert minutes == sorted(minutes)
    assert len(set(minutes)) == len(minutes)
    assert minutes[-1][0] == LAST_NIGHT


def test_nothing_is_named_before_it_was_opened() -> None:
    known = {PRIMARY, SECONDARY, LATER}
    for beat in STORY:
        text = beat.deed.text if isinstance(beat.deed, Type) else ""
        named = {name for _, name, _, _ in Formatter().parse(beat.text + text) if name}
        if isinstance(beat.deed, Click | SplitOff | Press | Fill):
            named.add(beat.deed.about)
        if beat.only_while:
            named.add(beat.only_while[0])
        assert named <= known, beat
        if beat.opens:
            known.add(beat.opens[0])
        assert {until.about for until in beat.until} - {""} <= known, beat
    assert {name for _, name, _, _ in Formatter().parse(LAST) if name} <= known
