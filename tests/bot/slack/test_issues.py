"""`/oncall issues`: what is open, the worst first, and what the catalogue leaves open."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.slack.desk import Desk
from bot.slack.issues import answer_issues
from bot.slack.listeners import Listening
from bot.slack.views.issues import Issues, issues_answer, issues_modal, ranked
from bot.workspace.blockkit import problems
from bot.workspace.state import Workspace
from rules.catalogue import Asset, Catalogue, Product
from rules.category import Category
from rules.incident import Incident
from rules.priority import Priority
from rules.products.catalogue_gaps import gaps_of, grouped
from tests.bot.slack.samples import ANA, BOOK, HOSTILE, NOW, FakeNames, incident
from tests.bot.slack.test_listeners import WHERE, modal
from tests.bot.slack.test_stakes import stakes
from tests.fakes.reader import FakeReader

CATALOGUE = Catalogue(
    [
        Product(id="hollow", name="Hollow", tier=1),
        Product(id="orders", name="Orders", owner=ANA, runbook="https://example.com"),
    ],
    [Asset(id=f"model.m{n}", name=f"m{n}", kind="model") for n in range(70)],
)


def opened(number: int, **more: object) -> Incident:
    return incident(
        **{"id": f"i{number}", "number": number, "title": f"thing {number} failed", **more}
    )


def found(*incidents: Incident, catalogue: Catalogue = CATALOGUE, total: int = 0) -> Issues:
    return Issues(
        now=NOW,
        names=FakeNames(),
        incidents=ranked(incidents, NOW),
        total=total or len(incidents),
        catalogue=catalogue,
        gaps=grouped(tuple(gaps_of(catalogue))),
    )


def answered(issues: Issues) -> str:
    message = issues_answer(issues)
    assert problems(message, surface="message") == []
    return str(message["blocks"])


def test_a_line_tells_all_of_an_incident() -> None:
    one = opened(
        7,
        opened_at=NOW - timedelta(hours=3),
        category=Category.FRESHNESS,
        stakes=stakes(deadline=NOW + timedelta(minutes=64)),
    ).ack(ANA, NOW, None)
    text = answered(found(one))
    assert (
        "*P2 #7* thing 7 failed · 📦 Daily orders · freshness · 3 h old · Ana has it · "
        "⏰ 1 h 4 min left"
    ) in text


def test_the_worst_come_first_then_the_nearest_deadline() -> None:
    late = opened(1, priority=Priority.P3)
    soon = opened(2, stakes=stakes(deadline=NOW + timedelta(hours=1)))
    later = opened(3, stakes=stakes(deadline=NOW + timedelta(hours=9)))
    never = opened(4)
    worst = opened(5, priority=Priority.P1)
    order = [one.number for one in ranked((late, soon, later, never, worst), NOW)]
    assert order == [5, 2, 3, 4, 1]


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"paged": (ANA,)}, "Ana paged"), ({"paged": ()}, "nobody has it")],
    ids=["paged", "nobody"],
)
def test_who_has_it_is_told(changes: dict[str, object], words: str) -> None:
    assert words in answered(found(opened(7, **changes)))


def test_gaps_are_counted_with_examples_and_the_fix() -> None:
    text = answered(found())
    assert "Nothing is open. Good." in text
    assert "2 products and 70 assets are known; 0 assets have an owner." in text
    assert "*1 product without owner*: hollow" in text
    assert "*70 assets without owner*: model.m0, model.m1, model.m10 and 67 more" in text
    assert "meta.owner" in text
    assert text.index("without owner") < text.index("without promise") < text.index("without runb")
    assert "2 products without schedule*: hollow, orders" in text


def test_without_a_catalogue_the_answer_says_how_to_get_one() -> None:
    assert "Name its files under `catalogue:`" in answered(found(catalogue=Catalogue()))


def test_a_long_list_is_shown_a_page_at_a_time() -> None:
    many = found(*(opened(n) for n in range(1, 51)))
    assert "and 38 more" in answered(many)
    seen = []
    for page in range(20):
        view = issues_modal(many, page, "")
        assert problems(view, surface="modal") == []
        seen.append(str(view["blocks"]))
    assert "Page 1 of" in seen[0]
    assert "issues_page" not in seen[0]
    assert "issues_next" not in seen[-1]
    assert all(any(f"#{n}*" in one for one in seen) for n in range(1, 51))
    assert all(any(f"• model.m{n}" in one for one in seen) for n in range(70))


def test_outside_texts_stay_texts() -> None:
    hostile = Catalogue([Product(id=HOSTILE, name=HOSTILE)])
    one = opened(7, title=HOSTILE, stakes=stakes(name=HOSTILE))
    issues = found(one, catalogue=hostile)
    for text in (answered(issues), str(issues_modal(issues, 1, ""))):
        assert "<!channel>" not in text
        assert "<@U0ANA001>" not in text


async def test_it_is_asked_for_and_leafed_through_in_slack(
    line: Listening, reader: FakeReader, workspace: Workspace
) -> None:
    for number in range(100, 130):
        reader.put(opened(number))
    outcome = await workspace.command("ana", WHERE, "/oncall issues")
    assert outcome.acked
    [message] = [m for m in workspace.messages(WHERE, viewer="ana") if m.only_for]
    assert "31 open in production: 31 P2" in str(message.blocks)
    await workspace.click("ana", WHERE, message.ts, "issues")
    view = await modal(workspace, "issues")
    assert "Page 1 of 2" in str(view.payload["blocks"])
    await workspace.click_view(view.id, "issues_next")
    await workspace.until(lambda: "Page 2 of 2" in str(workspace.views[view.id].payload["blocks"]))


async def test_the_catalogue_in_force_is_looked_through(desk: Desk) -> None:
    known = replace(desk, rulebook=lambda: replace(BOOK, catalogue=CATALOGUE))
    assert "70 assets without owner" in str(await answer_issues(known))


def test_the_table_is_a_click_away_for_the_one_who_reads_it() -> None:
    link = "https://watchbill.example/sign-in/link?key=abc.def-_"
    answer, dialog = issues_answer(found(), link), issues_modal(found(opened(1)), 0, "{}", link)
    assert problems(answer, surface="message") == []
    assert problems(dialog, surface="modal") == []
    assert link in str(answer["blocks"])
    assert link in str(dialog["blocks"])
    assert "Open the table" not in str(issues_answer(found())["blocks"])


async def test_only_a_private_answer_holds_the_link(desk: Desk) -> None:
    with_link = replace(
        desk, issues_link=lambda person: f"https://w.example/sign-in/link?key={person}"
    )
    assert "sign-in/link" in str(await answer_issues(with_link, "U1"))
    assert "sign-in/link" not in str(await answer_issues(with_link))
