"""What a person is told about what they asked for."""

from dataclasses import dataclass

from rules.sentence import Sentence, say


@dataclass(frozen=True, slots=True)
class Answer:
    """What to tell the person; good news may stay unsaid when the answer is `quiet`.

    `undo` is the id of an override that a button can end; then `back_to` are on call again.
    """

    sentence: Sentence
    refused: bool = False
    undo: str = ""
    back_to: tuple[str, ...] = ()


def no_incident(number: int) -> Sentence:
    """Say that there is none with this number, and where they all are."""
    return say("There is no incident #{number}. `/oncall list all` shows them.", number=number)
