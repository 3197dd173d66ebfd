"""Which open incident an alert belongs to by run and lineage, and as what: cause or consequence."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from rules.alert import Alert, AlertStatus
from rules.catalogue import Catalogue
from rules.category import Category
from rules.environment import differing
from rules.incident import Incident
from rules.lineage import Lineage
from rules.matching.known import Described, described
from rules.sentence import Sentence, say
from rules.shown_alert import Bond, ShownAlert, thing_of

_LONGEST_RUN = 512
_DAG = ("dag_id", "env_dag_id")
_RUN = ("run_id", "dag_run_id", "env_run_id", "env_dag_run_id")
_ORCHESTRATION = ("dag:", "task:")
_SKIPPED = "downstream_skipped"
OWN_CAUSE = frozenset({Category.ACCESS, Category.ADHOC_REQUEST, Category.INFRASTRUCTURE_FAILURE})
"""Categories that broken data upstream does not explain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldingRule:
    """Which alerts join the incident of another asset.

    An incident takes them for `within` after its last alert; those of a category in `never`
    have a cause of their own.
    """

    within: timedelta = timedelta(hours=24)
    never: frozenset[Category] = field(default=OWN_CAUSE)


@dataclass(frozen=True, slots=True)
class Subject:
    """What an alert or an incident is about.

    `asset` is an asset's id, or `task:<dag>.<task>` for a task that is not listed; `run_key` is
    the orchestrator's run, equal in every source that names it.
    """

    asset: str = ""
    product: str = ""
    run_key: str = ""

    @property
    def orchestrates(self) -> bool:
        return self.asset.startswith(_ORCHESTRATION)

    def __bool__(self) -> bool:
        return bool(self.asset or self.run_key)


@dataclass(frozen=True, slots=True)
class OpenSubject:
    """An open incident and what its cause is about."""

    incident_id: str
    number: int
    subject: Subject


@dataclass(frozen=True, slots=True)
class Fold:
    """An open incident that an alert belongs to; `anytime` when its age does not matter."""

    incident_id: str
    bond: Bond
    why: Sentence
    anytime: bool = False


@dataclass(frozen=True, slots=True)
class _Tie:
    bond: Bond
    rank: int
    """Least is closest: the same run or asset, then upstream and downstream by steps."""
    why: Sentence
    anytime: bool = False


_FAR = 1_000_000


def subject_of(alert: Alert, catalogue: Catalogue) -> Subject:
    """Return what an alert is about, as far as its labels and the catalogue tell."""
    return subject_in(described(alert, catalogue))


def subject_in(seen: Described) -> Subject:
    """Return the same of an alert that has been looked up already."""
    labels, found = seen
    asset = found.asset.id if found and found.asset else ""
    dag, task = labels.get("dag_id", ""), labels.get("task_id", "")
    if asset.startswith("dag:") and task:
        # the tasks of a DAG are different things, also where only the DAG is listed
        asset = f"task:{dag}.{task}"
    return Subject(asset, found.product.id if found and found.product else "", run_key(labels))


def subject_of_incident(incident: Incident) -> Subject:
    return Subject(incident.asset, incident.product, incident.run_key)


def run_key(labels: Mapping[str, str]) -> str:
    """Return `<dag>/<run>` where labels name an orchestrator's run, else nothing."""
    dag = next(filter(None, map(labels.get, _DAG)), "")
    if not dag:
        return ""
    run = next(filter(None, map(labels.get, _RUN)), "")
    return f"{dag}/{run}"[:_LONGEST_RUN] if run else ""


def folds(
    alert: Alert,
    subject: Subject,
    open_ones: Iterable[OpenSubject],
    rule: FoldingRule,
    lineage: Lineage | None,
) -> list[Fold]:
    """Return the open incidents that a categorised alert belongs to, the closest first."""
    own_cause = alert.category in rule.never
    if not subject or alert.unreadable or alert.status is AlertStatus.RESOLVED:
        return []
    found = []
    for one in open_ones:
        tie = _tie(subject, one.subject, lineage)
        if tie is None or (own_cause and not tie.anytime):
            continue
        fold = Fold(one.incident_id, tie.bond, tie.why, tie.anytime)
        found.append(((tie.rank, one.number), fold))
    return [fold for _, fold in sorted(found, key=lambda one: one[0])]


def takes(incident: Incident, fold: Fold, alert: Alert, rule: FoldingRule, now: datetime) -> bool:
    """Tell whether the incident takes the alert: of its place, not too old, not split off before."""
    if incident.source == alert.source and differing(incident.labels, alert.labels):
        return False
    last = incident.last_alert_at or incident.opened_at
    fresh = fold.anytime or now - last <= rule.within
    return incident.is_open and fresh and thing_of(alert) not in incident.split_off


def bond_with(
    incident: Incident, alert: Alert, subject: Subject, lineage: Lineage | None
) -> tuple[Bond, Sentence | None]:
    """Return as what an alert joins an incident, and the words for it where there are any."""
    tie = _tie(subject, subject_of_incident(incident), lineage)
    if tie is not None and tie.bond is not Bond.OWN:
        return tie.bond, tie.why
    same_run = alert.group_key == incident.group_key and alert.source == incident.source
    if same_run and skipped_by(alert) > incident.skipped:
        why = say("The cause: it held back {count} others.", count=skipped_by(alert))
        return Bond.CAUSE, why
    return Bond.OWN, tie.why if tie else None


def skipped_by(alert: Alert) -> int:
    """Return how many nodes were never run because of this failure."""
    told = alert.labels.get(_SKIPPED, "")
    return int(told) if alert.status is AlertStatus.FIRING and told.isdecimal() else 0


def with_cause(
    incident: Incident, alert: Alert, subject: Subject, lineage: Lineage | None
) -> Incident:
    """Return the incident with this alert of it as its root cause; who is paged stays."""
    rebound = tuple(
        replace(one, bond=_rebound(one, alert, subject, lineage)) for one in incident.alerts
    )
    turned = sum(
        (after.bond is Bond.CONSEQUENCE) - (before.bond is Bond.CONSEQUENCE)
        for before, after in zip(incident.alerts, rebound, strict=True)
    )
    return incident.but(
        source=alert.source,
        dedup_key=alert.dedup_key,
        group_key=alert.group_key or incident.group_key,
        title=alert.title,
        description=alert.description,
        url=alert.url,
        labels=dict(alert.labels),
        asset=subject.asset,
        product=subject.product,
        run_key=subject.run_key or incident.run_key,
        skipped=skipped_by(alert),
        alerts=rebound,
        consequences=max(0, incident.consequences + turned),
    )


def _rebound(one: ShownAlert, cause: Alert, subject: Subject, lineage: Lineage | None) -> Bond:
    if (one.source, one.dedup_key) == thing_of(cause):
        return Bond.CAUSE
    tie = _tie(Subject(one.asset, one.product), subject, lineage)
    if tie is not None and tie.bond is Bond.CONSEQUENCE:
        return Bond.CONSEQUENCE
    return Bond.OWN if one.bond is Bond.CAUSE else one.bond


def _tie(subject: Subject, other: Subject, lineage: Lineage | None) -> _Tie | None:
    """Return how the subject of an alert is tied to that of an incident, None when it is not."""
    same_run = bool(subject.run_key) and subject.run_key == other.run_key
    if subject.asset and subject.asset == other.asset:
        return _Tie(Bond.OWN, 0, say("Also about {asset}.", asset=_name(subject, lineage)), True)
    related = _by_lineage(subject, other, lineage) or _by_orchestration(subject, other, lineage)
    if related is not None:
        return replace(related, rank=0, anytime=True) if same_run else related
    if same_run:
        return _Tie(Bond.OWN, 0, say("Same run: {run}.", run=subject.run_key), True)
    return None


def _by_lineage(subject: Subject, other: Subject, lineage: Lineage | None) -> _Tie | None:
    if lineage is None or not (subject.asset and other.asset):
        return None
    names = {"asset": _name(subject, lineage), "other": _name(other, lineage)}
    if depth := lineage.above(subject.asset).get(other.asset):
        why = say("A consequence: {asset} is made from {other}.", **names)
        return _Tie(Bond.CONSEQUENCE, depth, why)
    if depth := lineage.above(other.asset).get(subject.asset):
        return _Tie(
            Bond.CAUSE, _FAR + depth, say("The cause: {other} is made from {asset}.", **names)
        )
    return None


def _by_orchestration(subject: Subject, other: Subject, lineage: Lineage | None) -> _Tie | None:
    """Tie the DAG or task that builds a product to what it builds: the built thing tells more."""
    alike = subject.orchestrates == other.orchestrates
    if alike or not (subject.asset and other.asset) or not subject.product:
        return None
    if subject.product != other.product:
        return None
    names = {"asset": _name(subject, lineage), "other": _name(other, lineage)}
    if subject.orchestrates:
        why = say("A consequence: {asset} builds {other}, which is broken.", **names)
        return _Tie(Bond.CONSEQUENCE, 2 * _FAR, why)
    return _Tie(Bond.CAUSE, 2 * _FAR, say("The cause: {other} builds {asset}.", **names))


def _name(subject: Subject, lineage: Lineage | None) -> str:
    known = lineage.catalogue.asset(subject.asset) if lineage else None
    return known.name if known else subject.asset.partition(":")[2] or subject.asset
