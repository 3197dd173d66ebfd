"""Text that somebody else wrote as a cell of a CSV file, which a spreadsheet must not calculate."""

import re

_FORMULA = re.compile(r"\s*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")


def safe_cell(text: str) -> str:
    """Return a cell that a spreadsheet reads as text: an apostrophe stands before a formula."""
    clean = text.replace("\0", "\ufffd")
    return f"'{clean}" if _FORMULA.match(clean) else clean
