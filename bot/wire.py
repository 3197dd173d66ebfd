"""Incidents, sentences and acts as JSON: what the store keeps and jobs carry."""

from datetime import datetime, timedelta
from typing import Any, assert_never

from pydantic import TypeAdapter

from rules.incident import Incident
from rules.sentence import Sentence, Value, Who

_INCIDENT = TypeAdapter(Incident)


def incident_to_json(incident: Incident) -> bytes:
    """Write every field: what tells the kinds of a target apart are defaults too."""
    return _INCIDENT.dump_json(incident)


def incident_from_json(text: bytes | str) -> Incident:
    """Read an incident; raises pydantic.ValidationError on a document of another shape."""
    return _INCIDENT.validate_json(text)


def sentence_to_json(sentence: Sentence) -> dict[str, Any]:
    """Return `{"t": template, "v": {name: [type, value]}}`; types keep times from being texts."""
    values = {name: _tagged(value) for name, value in sentence.values.items()}
    return {"t": sentence.template, "v": values}


def sentence_from_json(document: dict[str, Any]) -> Sentence:
    return Sentence(
        document["t"], {name: _untagged(*tagged) for name, tagged in document["v"].items()}
    )


def _tagged(value: Value) -> list[Any]:
    if type(value) is str:  # by far the most, and the last of the cases
        return ["str", value]
    match value:
        case Who(key):
            return ["who", key]
        case datetime():
            return ["at", value.isoformat()]
        case timedelta():
            return ["for", value.total_seconds()]
        case int():
            return ["int", value]
        case str():
            return ["str", value]
        case _:
            assert_never(value)


def _untagged(kind: str, value: Any) -> Value:
    match kind:
        case "who":
            return Who(value)
        case "at":
            return datetime.fromisoformat(value)
        case "for":
            return timedelta(seconds=value)
        case "int":
            return int(value)
        case _:
            return str(value)
