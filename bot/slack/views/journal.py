"""The journal as people see it: the question, the form, an entry, a list, and its trends."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.ports.journal import CauseCount
from bot.slack import blocks as kit
from bot.slack.blocks import Json
from bot.slack.scene import Scene
from bot.slack.text import Mrkdwn, Names, at, join, lasting, link, md, one_line, outside, spoken
from rules.incident import Incident
from rules.journal.entry import LONGEST_FIELD, LONGEST_WHY, JournalEntry, Told
from rules.journal.prompt import JournalPrompt, PromptState, is_behind
from rules.journal.telling import reference, seen_sentence
from rules.journal.template import Template

WRITE, WAIVE, ADD, READ = "journal", "journal_waive", "journal_add", "journal_read"
FORMS = (WRITE, WAIVE)
"""Buttons that open a form about one incident."""
_SHOWN = 10
_SHORT = 160
_MONTHS = 6
_TOP = 5


def seen_line(scene: Scene) -> Mrkdwn:
    """What the journal knows of it, in one line; nothing when it was never seen."""
    sentence = seen_sentence(scene.recalled.seen)
    entry = scene.recalled.seen.shown
    if sentence is None or entry is None or not scene.incident.is_open:
        return Mrkdwn()
    told = spoken(sentence, scene.names, scene.now)
    if entry.number is None:
        return md("📓 {told}", told=told)
    return md("📓 {told} · `/oncall journal {number}`", told=told, number=entry.number)


def entry_line(scene: Scene) -> Mrkdwn:
    """Who wrote what about a resolved incident."""
    entry = scene.recalled.entry
    if entry is None or not entry.is_written:
        return Mrkdwn()
    what = entry.told.fix or entry.told.cause or entry.told.symptom
    return md("📓 {who} wrote the journal: “{what}”", who=scene.who(entry.by), what=_brief(what))


def question(
    incident: Incident, prompt: JournalPrompt | None, entry: JournalEntry | None, names: Names
) -> Json:
    """The message that asks, as it stands now: asked, asked anew, written, or not needed."""
    number = incident.number
    waived = prompt is not None and prompt.state is PromptState.WAIVED
    if entry is not None and is_behind(entry, incident) and not waived:
        text = md("📓 {again}", again=_resolved_again(number, entry, names))
        return kit.message(text, [kit.section(text), _asking(number, anew=True)])
    if entry is not None and entry.is_written:
        text = md("📓 {who} wrote the journal entry of #{number}.",
                  who=_named(names, entry.changed_by), number=number)  # fmt: skip
        again = kit.button("Read or change", WRITE, str(number))
        return kit.message(text, [kit.section(text), kit.actions(f"journal:{number}", again)])
    if prompt is not None and prompt.state is PromptState.WAIVED:
        text = md("📓 #{number} needs no journal entry, says {who}: {why}", number=number,
                  who=_named(names, prompt.by), why=outside(one_line(prompt.why), 300))  # fmt: skip
        return kit.message(text, [kit.section(text), kit.actions(f"journal:{number}",
                           kit.button("Write one all the same", WRITE, str(number)))])  # fmt: skip
    text = md(
        "📓 What should the next person know about #{number} {title}? Five short answers; the rest "
        "is filled in.",
        number=number,
        title=outside(one_line(incident.title), 120),
    )
    return kit.message(text, [kit.section(text), _asking(number)])


def reminder(
    prompt: JournalPrompt,
    others: Sequence[JournalPrompt],
    *,
    is_last: bool,
    behind: JournalEntry | None,
    names: Names,
) -> Json:
    """The direct message to who has still to write, of this one and the others.

    `behind` is the entry that was written before it was resolved again.
    """
    last = " This is the last reminder." if is_last else ""
    more = Mrkdwn()
    if others:
        named = join(", ", [md("#{n}", n=one.number) for one in others[:_TOP]])
        rest = f" and {len(others) - _TOP} more" if len(others) > _TOP else ""
        verb = "has" if len(others) == 1 else "have"
        more = md(" Nor " + verb + " {named}" + rest + ": App Home lists them.", named=named)
    asked = md(
        "#{number} {title} has no journal entry yet. Two minutes now save the next person a night.",
        number=prompt.number,
        title=outside(one_line(prompt.title), 120),
    )
    if behind is not None:
        asked = _resolved_again(prompt.number, behind, names)
    text = md("📓 {asked}{more}" + last, asked=asked, more=more)
    return kit.message(text, [kit.section(text), _asking(prompt.number, anew=behind is not None)])


def _resolved_again(number: int, entry: JournalEntry, names: Names) -> Mrkdwn:
    return md(
        "#{number} was resolved again after {who} wrote its journal entry: “{what}”. What helped "
        "this time?",
        number=number,
        who=_named(names, entry.changed_by),
        what=_brief(entry.told.fix or entry.told.cause or entry.told.symptom),
    )


def _asking(number: int, *, anew: bool = False) -> Json:
    write, waive = "Write the entry", "No entry needed…"
    if anew:
        write, waive = "Change the entry", "It still holds…"
    return kit.actions(
        f"journal:{number}",
        kit.button(write, WRITE, str(number), style="primary"),
        kit.button(waive, WAIVE, str(number)),
    )


def write_modal(
    incident: Incident,
    entry: JournalEntry | None,
    template: Template,
    causes: Mapping[str, str],
    metadata: str,
) -> Json:
    """At most five questions; what is known already stands above them."""
    told = entry.told if entry else Told()
    blocks = [kit.plain_section(f"#{incident.number} {one_line(incident.title)}", 200)]
    notes = entry.notes[-3:] if entry else ()
    blocks += [kit.plain_section(f"“{one_line(note.text)}”", 300) for note in notes]
    initial = {
        "symptom": told.symptom,
        "cause": told.cause,
        "fix": told.fix or incident.note,
        "needed": told.needed_why,
        "follow_up": told.follow_up,
    }
    for name, asked in template.questions.items():
        if name == "cause" and (kinds := _kinds(causes, told.cause_class)):
            menu = kit.select("cause_class", kinds, told.cause_class)
            blocks.append(kit.input_block("cause_class", "Kind of cause", menu, optional=True))
        if name == "needed":
            yes = {True: "yes", False: "no", None: ""}[told.needed]
            menu = kit.select("needed_yes", [("Yes", "yes"), ("No", "no")], yes)
            blocks.append(kit.input_block("needed_yes", "Was the page needed?", menu,
                                          optional=True))  # fmt: skip
        label = "Why?" if name == "needed" else asked.label
        field = kit.text_input(name, initial=initial[name], multiline=True, longest=LONGEST_FIELD)
        blocks.append(
            kit.input_block(name, label, field, optional=not asked.required, hint=asked.hint)
        )
    return kit.modal(WRITE, f"Journal of #{incident.number}", blocks, submit="Save",
                     metadata=metadata)  # fmt: skip


def _kinds(causes: Mapping[str, str], now: str) -> list[tuple[str, str]]:
    """Return what to choose from: also what an entry has that the rulebook no longer names."""
    known = {**causes, **({now: now.replace("_", " ")} if now and now not in causes else {})}
    return [(words, key) for key, words in known.items()]


def waive_modal(incident: Incident, metadata: str) -> Json:
    field = kit.text_input("why", placeholder="A drill; the same as #41", longest=LONGEST_WHY)
    return kit.modal(
        WAIVE,
        f"No entry for #{incident.number}",
        [
            kit.plain_section(one_line(incident.title), 200),
            kit.input_block("why", "Why is none needed?", field),
        ],
        submit="Nobody is asked",
        metadata=metadata,
    )


def add_modal(text: str, number: int | None, metadata: str) -> Json:
    """The form of the message shortcut."""
    which = kit.text_input("number", placeholder="42", initial=str(number or ""), longest=12)
    return kit.modal(
        ADD,
        "Add to journal",
        [
            kit.input_block(
                "text", "Text", kit.text_input("text", initial=text, multiline=True, longest=3000)
            ),
            kit.input_block(
                "number",
                "Incident",
                which,
                optional=True,
                hint="Empty: a note of its own, found by its words.",
            ),
        ],
        submit="Add",
        metadata=metadata,
    )


def entry_answer(
    entry: JournalEntry, causes: Mapping[str, str], names: Names, now: datetime
) -> Json:
    """One entry, whole."""
    head = md("📓 *{ref}* {title}", ref=reference(entry),
              title=outside(one_line(entry.facts.title), 150))  # fmt: skip
    blocks = [kit.section(head)]
    if written := _written(entry, causes):
        blocks.append(kit.section(join("\n", written)))
    blocks += kit.fields(_facts(entry, names, now))
    for note in entry.notes[-5:]:
        source = link(note.link, "message") if note.link else Mrkdwn()
        more = join(" · ", [_named(names, note.author or note.by), at(note.at, now), source])
        blocks.append(kit.section(md("> {text}\n{more}", text=_brief(note.text, 600), more=more)))
    blocks += kit.context(_by(entry, names, now))
    if entry.number is not None:
        label = "Change" if entry.is_written else "Write the entry"
        blocks.append(
            kit.actions(f"journal:{entry.number}", kit.button(label, WRITE, str(entry.number)))
        )
    return kit.message(head, blocks)


def write_answer(incident: Incident) -> Json:
    """A button to the form, for who typed the number of an incident without an entry."""
    text = md("#{number} {title} has no journal entry yet.", number=incident.number,
              title=outside(one_line(incident.title), 120))  # fmt: skip
    return kit.message(text, [kit.section(text), _asking(incident.number)])


def list_answer(
    head: Mrkdwn, entries: Sequence[JournalEntry], now: datetime, *, more: bool = False
) -> Json:
    """Entries in a line each, newest first, each with a button that shows it."""
    shown = entries[:_SHOWN]
    blocks = [kit.section(md("*{head}*", head=head))]
    for entry in shown:
        line = md(
            "*{ref}* {title} · {when}\n{what}",
            ref=reference(entry),
            title=outside(one_line(entry.facts.title), 100),
            when=at(entry.at, now),
            what=_brief(entry.told.fix or entry.told.cause or _noted(entry)),
        )
        blocks.append(kit.section(line, kit.button("Read", READ, entry.id)))
    rest = more or len(entries) > len(shown)
    hint = md("There are more: add a word to the search.") if rest else Mrkdwn()
    return kit.message(head, [*blocks, *kit.context(hint)])


def trends_answer(counts: Sequence[CauseCount], causes: Mapping[str, str]) -> Json:
    """How often which kind of cause hit, month by month, and which products most."""
    if not counts:
        text = md("No journal entry tells a kind of cause yet, so there is no trend.")
        return kit.message(text, [kit.section(text)])
    months = sorted({one.month for one in counts}, reverse=True)[:_MONTHS]
    head = md("*Root causes by month*")
    lines = [_month(month, [one for one in counts if one.month == month], causes)
             for month in months]  # fmt: skip
    products: Counter[str] = Counter()
    for one in counts:
        if one.product and one.month in months:
            products[one.product] += one.count
    worst = [md("{product} {count}", product=outside(name, 60), count=count)
             for name, count in products.most_common(_TOP)]  # fmt: skip
    most = md("Most often hit: {products}", products=join(", ", worst)) if worst else Mrkdwn()
    return kit.message(head, [kit.section(join("\n", [head, *lines])), *kit.context(most)])


def prompt_blocks(prompts: Sequence[JournalPrompt], now: datetime) -> list[Json]:
    """App Home: what a person has still to write."""
    if not prompts:
        return []
    lines = [
        kit.section(
            md("📓 #{number} {title}, resolved {when}", number=one.number,
               title=outside(one_line(one.title), 120), when=at(one.asked_at, now)),
            kit.button("Write", WRITE, str(one.number)),
        )
        for one in prompts[:_TOP]
    ]  # fmt: skip
    return [kit.header("Journal to write"), *lines]


def _month(month: str, counts: Sequence[CauseCount], causes: Mapping[str, str]) -> Mrkdwn:
    by_cause: Counter[str] = Counter()
    for one in counts:
        by_cause[one.cause] += one.count
    parts = [
        md("{cause} {count}", cause=causes.get(name) or name.replace("_", " ") or "not said",
           count=count)
        for name, count in by_cause.most_common(_TOP)
    ]  # fmt: skip
    return md("*{month}*: {total} ({parts})", month=month, total=sum(by_cause.values()),
              parts=join(", ", parts))  # fmt: skip


def _written(entry: JournalEntry, causes: Mapping[str, str]) -> list[Mrkdwn]:
    told = entry.told
    kind = causes.get(told.cause_class, told.cause_class.replace("_", " "))
    needed = {True: "yes", False: "no", None: ""}[told.needed]
    pairs = (
        ("Users saw", told.symptom),
        ("Cause", ". ".join(part for part in (kind, told.cause) if part)),
        ("Fix", told.fix),
        ("Page needed", ": ".join(part for part in (needed, told.needed_why) if part)),
        ("Still to do", told.follow_up),
    )
    return [md("*{label}*: {text}", label=label, text=_brief(text, 560))
            for label, text in pairs if text]  # fmt: skip


def _facts(entry: JournalEntry, names: Names, now: datetime) -> list[Mrkdwn]:
    facts = entry.facts
    people = join(", ", [_named(names, key) for key in facts.people[:6]])
    lasted = facts.lasted
    pairs: tuple[tuple[str, Mrkdwn], ...] = (
        ("Product", outside(facts.product, 100)),
        ("Asset", outside(facts.asset, 150)),
        ("Opened", at(facts.opened_at, now) if facts.opened_at else Mrkdwn()),
        ("Lasted", Mrkdwn(lasting(lasted)) if lasted else Mrkdwn()),
        ("People", people),
        ("Interval", outside(facts.interval, 100)),
        ("Steps tried", outside("; ".join(facts.steps), 300)),
        ("Verification", outside(facts.verification, 200)),
        ("Access used", outside("; ".join(facts.grants), 200)),
    )
    return [md("*{label}*\n{value}", label=label, value=value) for label, value in pairs if value]


def _by(entry: JournalEntry, names: Names, now: datetime) -> Mrkdwn:
    if not entry.is_written:
        return md("Nobody has written it yet; these are messages that were added.")
    who, when = _named(names, entry.changed_by), at(entry.changed_at, now)
    if entry.version > 1:
        return md("version {n}, by {who}, {when}", n=entry.version, who=who, when=when)
    return md("by {who}, {when}", who=who, when=when)


def _noted(entry: JournalEntry) -> str:
    return entry.notes[-1].text if entry.notes else ""


def _named(names: Names, key: str) -> Mrkdwn:
    return outside(names.name(key), 80)


def _brief(text: str, limit: int = _SHORT) -> Mrkdwn:
    return outside(one_line(text), limit)
