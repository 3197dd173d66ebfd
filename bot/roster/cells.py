"""What a cell that cannot be read is told as, and formulas that gave nothing."""

from bot.roster.table import UNCALCULATED, Cell, Problem, Severity

_FORMULA_ERRORS = {
    "#REF!", "#N/A", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!", "#ERROR!", "#SPILL!",
    "#CALC!", "#GETTING_DATA", "#LOADING...", UNCALCULATED,
}  # fmt: skip


class CellError(ValueError):
    """The cell cannot be used; the text says why and what to write."""

    def __init__(self, cell: Cell, text: str, code: str = "") -> None:
        super().__init__(text)
        self.cell = cell
        self.code = code

    def problem(self, rotation: str = "", severity: Severity = Severity.ERROR) -> Problem:
        return Problem(self.cell.address, str(self), severity, rotation, self.code)


def is_formula_error(text: str) -> bool:
    """Whether the text is what a spreadsheet shows for a formula without a value."""
    return text.upper() in _FORMULA_ERRORS


def check_formula(cell: Cell) -> None:
    """Raise CellError for a formula that gave an error, or nothing."""
    if cell.text == UNCALCULATED:
        words = "Open the file in a spreadsheet and save it, or write the value."
        raise CellError(cell, f"a formula without a result. {words}", "E14")
    if is_formula_error(cell.text):
        raise CellError(cell, f"a formula that gave {cell.text}. Correct it.", "E14")
