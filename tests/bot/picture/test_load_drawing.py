"""The picture of the load: well-formed whatever people are called, and drawn."""

from datetime import timedelta
from xml.etree import ElementTree as ET

from bot.picture.load_drawing import MOST_DRAWN, load_svg, told
from bot.picture.raster import png_of
from rules.people import People
from rules.rotation import OnCall
from rules.schedule.load_report import Facts, LoadReport, report
from rules.schedule.resolution import on_call
from tests.bot.slack.samples import HOSTILE
from tests.rules.schedule.test_load_report import weeks
from tests.stories.rota import monday


def of(*people: str, pages: int = 0) -> LoadReport:
    schedule = weeks(*people)
    paged = [(people[0], monday() + timedelta(hours=18))] * pages
    facts = Facts(schedule=schedule, people=People(), pages=paged)
    whole = on_call(schedule, monday(), monday(len(people)))
    return report(whole, facts, monday(), monday(len(people)))


def texts(svg: str) -> list[str]:
    return [one.text or "" for one in ET.fromstring(svg).iter() if one.tag.endswith("}text")]


def test_everybody_has_a_bar_and_their_numbers() -> None:
    svg = load_svg(of("ana", "bo", "ana", pages=1), str.title, "On-call load of data")
    shown = texts(svg)
    assert shown[0] == "On-call load of data"
    assert "336 h · 67%" in shown
    assert "1 page, 1 night" in shown
    assert "0 pages, 0 nights" in shown
    assert png_of(svg).startswith(b"\x89PNG")


def test_hostile_names_stay_text() -> None:
    shown = of("ana", "bo")
    svg = load_svg(shown, lambda _key: HOSTILE * 3, HOSTILE)
    assert {one.tag.rsplit("}")[-1] for one in ET.fromstring(svg).iter()} == {
        "svg", "title", "rect", "text", "line",
    }  # fmt: skip
    assert png_of(svg).startswith(b"\x89PNG")


def test_a_crowd_is_cut_and_nobody_is_fine() -> None:
    crowd = of(*(f"p{n}" for n in range(12)), *(f"q{n}" for n in range(12)))
    svg = load_svg(crowd, str, "load")
    assert len([one for one in texts(svg) if " h · " in one]) == MOST_DRAWN
    assert any("4 more are not shown" in one for one in texts(svg))
    nothing = report(OnCall(), Facts(schedule=weeks(), people=People()), monday(), monday(1))
    assert "Evenness 100%" in "".join(texts(load_svg(nothing, str, "load")))
    assert "336 h" in told(of("ana", "ana"), str)
