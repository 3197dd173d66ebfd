"""One thing breaks upstream, and many tools complain: one incident, one page, the cause named."""

from datetime import timedelta
from typing import Any

from bot.acts.act import SplitOff, alert_ref
from rules.alert import Alert, AlertStatus
from rules.catalogue import Asset, Catalogue, LoadType, Product
from rules.category import Category
from rules.claims import AssetPattern
from rules.folding import FoldingRule
from rules.incident import Incident, State
from rules.lineage import Lineage
from rules.rulebook import RuleBook
from rules.shown_alert import Bond
from tests.stories.conftest import Tell
from tests.stories.story import Story, alert, rulebook

STG, FCT, MART, BOARD = (
    "model.shop.stg_orders",
    "model.shop.fct_orders",
    "model.shop.mart_sales",
    "exposure.shop.board",
)
NAMES = {STG: "stg_orders", FCT: "fct_orders", MART: "mart_sales", BOARD: "board report"}
APART = "model.shop.stg_users"


def catalogued(**more: Any) -> RuleBook:
    """Return rules that know stg_orders -> fct_orders -> mart_sales -> the board's report."""
    orders = Product(
        id="orders", name="Orders", assets=(AssetPattern("dag", "shop_daily"),), tier=2
    )
    kinds = {BOARD: "exposure"}
    assets = [
        Asset(
            id=one,
            name=name,
            kind=kinds.get(one, "model"),
            product="orders",
            load_type=LoadType.FULL,
            relation=f"shop.main.{name}" if one != BOARD else "",
        )
        for one, name in NAMES.items()
    ]
    assets.append(Asset(id=APART, name="stg_users", kind="model"))
    catalogue = Catalogue([orders], assets)
    lineage = Lineage(catalogue, {STG: [FCT], FCT: [MART], MART: [BOARD]})
    return rulebook(catalogue=catalogue, lineage=lineage, **more)


def about(story: Story, asset: str, *, source: str = "dbt", **more: Any) -> Alert:
    labels = {"unique_id": asset}
    return alert(f"{source}:{asset}", story.clock.now(), labels=labels, source=source, **more)


async def test_a_trial_run_joins_nothing_of_production(tell: Tell) -> None:
    story = tell(catalogued())

    def of(target: str, **more: Any) -> Alert:
        labels = {"unique_id": FCT, "target": target}
        return alert(f"{target}/{FCT}", story.clock.now(), labels=labels, source="dbt", **more)

    await story.hears(of("prod"))
    await story.hears(of("ci"))
    await story.hears(of("prod", status=AlertStatus.RESOLVED))
    assert await story.state(1) is State.RESOLVED
    assert await story.state(2) is State.TRIGGERED


async def test_what_breaks_downstream_joins_its_cause_and_pages_nobody_again(tell: Tell) -> None:
    story = tell(catalogued())
    await story.hears(about(story, STG))
    story.pages("ana")
    await story.does("ana", "acked")
    await story.after(minutes=10)
    await story.hears(about(story, FCT, source="elementary"))
    await story.after(minutes=20)
    await story.hears(about(story, BOARD, source="tableau"))
    story.pages()
    incident = await story.incident()
    assert (incident.title, incident.state) == (f"dbt:{STG} failed", State.ACKNOWLEDGED)
    assert (incident.alert_count, incident.consequences) == (3, 2)
    assert [a.bond for a in incident.alerts] == [Bond.OWN, Bond.CONSEQUENCE, Bond.CONSEQUENCE]
    assert await story.store.reader.open_count() == 1


async def test_the_cause_that_is_told_later_takes_the_incident_over(tell: Tell) -> None:
    story = tell(catalogued())
    await story.hears(about(story, BOARD, source="tableau"))
    story.pages("ana")
    await story.does("ana", "acked")
    await story.hears(about(story, STG))
    story.pages()
    incident = await story.incident()
    assert (incident.title, incident.asset) == (f"dbt:{STG} failed", STG)
    assert (incident.state, incident.consequences) == (State.ACKNOWLEDGED, 1)
    assert [(a.source, a.bond) for a in incident.alerts] == [
        ("tableau", Bond.CONSEQUENCE),
        ("dbt", Bond.CAUSE),
    ]
    await story.recovers(f"dbt:{STG}", source="dbt")
    assert (await story.incident()).is_open
    await story.recovers(f"tableau:{BOARD}", source="tableau")
    assert await story.state() is State.RESOLVED


async def test_tools_that_speak_of_one_asset_meet(tell: Tell) -> None:
    story = tell(catalogued())
    table = {"table": '"SHOP"."MAIN"."FCT_ORDERS"'}
    await story.hears(alert("not_null", story.clock.now(), labels=table, source="elementary"))
    await story.hears(about(story, FCT))
    await story.hears(alert("freshness", story.clock.now(), labels=table, source="soda"))
    incident = await story.incident()
    assert (incident.alert_count, incident.consequences) == (3, 0)
    story.pages("ana")


async def test_the_dag_that_builds_a_product_meets_what_it_builds(tell: Tell) -> None:
    story = tell(catalogued())
    task = {"dag_id": "shop_daily", "task_id": "dbt_build", "run_id": "scheduled__1"}
    await story.hears(alert("shop_daily.dbt_build", story.clock.now(), labels=task))
    await story.hears(about(story, STG))
    incident = await story.incident()
    assert (incident.title, incident.consequences) == (f"dbt:{STG} failed", 1)
    story.pages("ana")


async def test_one_run_is_one_incident_in_every_source_that_names_it(tell: Tell) -> None:
    story = tell(rulebook())
    run = {"dag_id": "shop_daily", "run_id": "scheduled__1"}
    await story.hears(alert("load", story.clock.now(), labels=run, group_key="a"))
    env = {"env_dag_id": "shop_daily", "env_run_id": "scheduled__1"}
    await story.hears(alert("model", story.clock.now(), labels=env, source="dbt", group_key="b"))
    other = {"dag_id": "shop_daily", "run_id": "scheduled__2"}
    await story.hears(alert("later", story.clock.now(), labels=other, source="sentry"))
    assert (await story.incident()).alert_count == 2
    assert (await story.incident(2)).title == "later failed"


async def test_other_causes_and_old_incidents_take_nothing(tell: Tell) -> None:
    story = tell(catalogued())
    await story.hears(about(story, STG))
    denied = {"unique_id": FCT, "category": "access"}
    await story.hears(alert("denied", story.clock.now(), labels=denied))
    assert (await story.incident(2)).category is Category.ACCESS
    await story.hears(about(story, APART))
    assert (await story.incident(3)).asset == APART
    await story.after(hours=24, seconds=1)
    await story.hears(about(story, BOARD, source="tableau"))
    assert (await story.incident(4)).title == f"tableau:{BOARD} failed"


async def test_a_consequence_with_a_cause_of_its_own_is_split_off(tell: Tell) -> None:
    story = tell(catalogued())
    await story.hears(about(story, STG))
    await story.does("ana", "acked")
    await story.hears(about(story, FCT, source="elementary", description="37 rows"))
    story.pages("ana")
    ref = alert_ref("elementary", f"elementary:{FCT}")
    await story.asks(SplitOff(number=1, alert=ref, by="bo"))
    await story.after(seconds=2)
    story.pages("ana")
    whole, split = await story.incident(), await story.incident(2)
    assert (whole.alert_count, whole.consequences, whole.state) == (1, 0, State.ACKNOWLEDGED)
    assert (split.split_from, split.state) == (1, State.TRIGGERED)
    assert (split.asset, split.description) == (FCT, "37 rows")
    await story.after(minutes=1)
    await story.hears(about(story, FCT, source="elementary"))
    assert (await story.incident(2)).alerts[0].count == 2
    await story.recovers(f"elementary:{FCT}", source="elementary")
    assert await story.state(2) is State.RESOLVED
    await story.hears(about(story, FCT, source="elementary"))
    assert (await story.incident(3)).asset == FCT, "what was split off does not fold in again"


async def test_the_cause_itself_and_strangers_are_not_split_off(tell: Tell) -> None:
    story = tell(catalogued())
    await story.hears(about(story, STG), about(story, FCT))
    await story.asks(SplitOff(number=1, alert=alert_ref("dbt", f"dbt:{STG}"), by="bo"))
    await story.asks(SplitOff(number=1, alert="0" * 16, by="bo"))
    await story.asks(SplitOff(number=9, alert="0" * 16, by="bo"))
    assert story.said() == [
        "#1 is about that alert; split off the others.",
        "That alert is not part of #1 any more.",
        "There is no incident #9. `/oncall list all` shows them.",
    ]
    assert (await story.incident()).alert_count == 2


async def test_splitting_off_survives_a_crash_and_happens_once(tell: Tell) -> None:
    story = tell(catalogued())
    await story.hears(about(story, STG), about(story, FCT, source="elementary"))
    act = SplitOff(number=1, alert=alert_ref("elementary", f"elementary:{FCT}"), by="bo")
    await story.asks(act, act)
    await story.down(minutes=1)
    assert await story.store.reader.open_count() == 2


async def opened_again_beside_what_it_lost(story: Story) -> None:
    await story.hears(about(story, STG), about(story, FCT))
    await story.does("ana", "resolved")
    await story.does("ana", "waived", note="the sheet was typed again")
    await story.hears(about(story, FCT))
    await story.does("ana", "reopened")
    assert await story.store.reader.open_count() == 2


async def test_what_has_become_an_incident_of_its_own_is_not_opened_twice(tell: Tell) -> None:
    story = tell(catalogued())
    await opened_again_beside_what_it_lost(story)
    act = SplitOff(number=1, alert=alert_ref("dbt", f"dbt:{FCT}"), by="bo")
    await story.asks(act)
    assert story.said()[-1] == f"It is #2 already: dbt:{FCT} failed"
    assert [one.asset for one in (await story.incident()).alerts] == [STG]
    assert await story.store.reader.open_count() == 2


async def test_what_is_reopened_takes_nothing_from_another_incident(tell: Tell) -> None:
    story = tell(catalogued())
    await story.hears(about(story, FCT))
    await story.does("ana", "resolved")
    await story.does("ana", "waived", note="the sheet was typed again")
    await story.hears(about(story, STG), about(story, FCT))
    await story.does("ana", "resolved", 2)
    await story.does("ana", "waived", 2, note="the sheet was typed again")
    assert len((await story.incident(2)).alerts) == 2
    await story.does("ana", "reopened", 1)
    await story.does("ana", "reopened", 2)
    await story.recovers(f"dbt:{FCT}", source="dbt")
    assert await story.state(1) is State.RESOLVED
    assert await story.state(2) is State.TRIGGERED


async def test_the_window_is_a_setting(tell: Tell) -> None:
    story = tell(catalogued(folding=FoldingRule(within=timedelta(minutes=5))))
    await story.hears(about(story, STG))
    await story.after(minutes=6)
    await story.hears(about(story, FCT))
    assert await story.store.reader.open_count() == 2


async def test_what_only_informs_joins_and_opens_nothing(tell: Tell) -> None:
    story = tell(catalogued())
    await story.hears(about(story, FCT, status=AlertStatus.INFO))
    assert await story.store.reader.open_count() == 0
    await story.hears(about(story, STG))
    await story.hears(about(story, FCT, status=AlertStatus.INFO))
    incident: Incident = await story.incident()
    assert (incident.alert_count, incident.firing_count) == (2, 1)
