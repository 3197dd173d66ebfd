"""What a person is told about what they asked for."""

from dataclasses import dataclass

from rules.sentence import Sentence


@dataclass(frozen=True, slots=True)
class Answer:
    """What to tell the person; good news may stay unsaid when the answer is `quiet`.

    `undo` is the id of an override that a button can end; then `back_to` are on call again.
    """

    sentence: Sentence
    refused: bool = False
    undo: str = ""
    back_to: tuple[str, ...] = ()
