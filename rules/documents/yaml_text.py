"""YAML as text: what may stand in it, and `${NAME}` references kept apart from YAML's own signs."""

import re

_FORBIDDEN = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U000effff\U00100000-\U0010ffff]"
)
_REFERENCE = re.compile(r"\$\{[^{}\n]*\}")
_SHIELD = 0xF0000
_SHIELDED = {_SHIELD + code: code for code in range(128)}


def forbidden_at(text: str) -> int | None:
    """Return where the first character stands that YAML text cannot hold here."""
    hit = _FORBIDDEN.search(text)
    return hit.start() if hit else None


def shield(text: str) -> str:
    """Hide the signs inside `${NAME}`, so that it may stand unquoted in `{key: ${NAME}}`.

    Lengths stay, and with them the columns of everything else.
    """
    return _REFERENCE.sub(lambda hit: "".join(chr(_SHIELD + ord(c)) for c in hit[0]), text)


def unshield(text: str) -> str:
    return text.translate(_SHIELDED)
