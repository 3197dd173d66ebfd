"""What a person is told about what they asked for."""

from dataclasses import dataclass

from rules.sentence import Sentence


@dataclass(frozen=True, slots=True)
class Answer:
    """What to tell the person; good news may stay unsaid when the answer is `quiet`."""

    sentence: Sentence
    refused: bool = False
