"""Tables and lines on a terminal that show text from outside without obeying it.

File names, ids, titles and labels may contain anything. Printed as they are, a line end in one could
forge a line of the program's, and an escape sequence could clear the screen. Rich's markup and emoji
codes are plain text here, too.
"""

import sys
from typing import Any

import rich.console
import rich.table

from claimstance.model.errors import printable


class SafeConsole(rich.console.Console):
    """Print to standard output, as wide as the terminal or 120 columns wide in a file."""

    def __init__(self) -> None:
        # Rich would assume 80 columns for a file, which is too narrow for most tables.
        width = None if sys.stdout.isatty() else 120
        super().__init__(width=width, markup=False, emoji=False, highlight=False)

    def print(self, *objects: Any, **options: Any) -> None:
        """Print tables, and each text as one line."""
        super().print(*_escape_texts(objects), **options)


class SafeTable(rich.table.Table):
    """Represent a table whose cells, headers and title may come from outside."""

    def __init__(
        self, *headers: rich.table.Column | str, title: str | None = None, **options: Any
    ) -> None:
        safe_title = None if title is None else printable(title)
        super().__init__(*_escape_texts(headers), title=safe_title, **options)

    def add_row(self, *cells: Any, **options: Any) -> None:
        """Add a row; a line end in a cell begins a new line of the cell."""
        safe_cells = []
        for cell in cells:
            if isinstance(cell, str):
                safe_cells.append("\n".join(map(printable, cell.split("\n"))))
            else:
                safe_cells.append(cell)
        super().add_row(*safe_cells, **options)


def _escape_texts(values: tuple[Any, ...]) -> list[Any]:
    """Escape control characters in texts; tables and columns stay as they are."""
    return [printable(value) if isinstance(value, str) else value for value in values]
