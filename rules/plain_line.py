"""Text that somebody else wrote, as one line that a terminal and a log can show."""

LONGEST = 1_000
_UNSEEN = dict.fromkeys(
    (0xAD, 0x200B, 0x200E, 0x200F, 0xFEFF, *range(0x202A, 0x202F), *range(0x2060, 0x206A))
)  # fmt: skip
"""Soft hyphens, spaces without width, marks of direction; joiners are part of some words."""


def seen(text: str) -> str:
    """Return `text` without the letters that nobody sees, and without blanks around it."""
    return text.strip() if text.isascii() else text.translate(_UNSEEN).strip()


def plain_line(text: str) -> str:
    """Return `text` without line ends, hidden or reordering characters, cut when it is long."""
    if len(text) > LONGEST:
        text = f"{text[: LONGEST - 1]}…"
    return text if text.isprintable() else "".join(c if c.isprintable() else "\ufffd" for c in text)


def one_line(text: str, longest: int = 200) -> str:
    """Return `text` with single spaces for whatever is not printable, and not longer than that."""
    bare = "".join(char if char.isprintable() else " " for char in text)
    short = " ".join(bare.split())
    return short if len(short) <= longest else f"{short[: longest - 1].rstrip()}…"
