"""Tables and lines on a terminal that show what comes from outside, and never obey it.

Names of files, ids, titles and labels are anybody's: printed as they are, a line end in one forges a line of the
program's, and an escape sequence clears the screen. Markup and emoji of rich are text here, too.
"""

import sys
from typing import Any

import rich.console
import rich.table

from claimstance.model.errors import printable


class Console(rich.console.Console):
    """The terminal that standard output is, or 120 columns of a file."""

    def __init__(self) -> None:
        width = None if sys.stdout.isatty() else 120
        super().__init__(width=width, markup=False, emoji=False, highlight=False)

    def print(self, *objects: Any, **options: Any) -> None:
        """Print tables, and texts as one line each."""
        shown = [printable(one) if isinstance(one, str) else one for one in objects]
        super().print(*shown, **options)


class Table(rich.table.Table):
    """A table whose cells, headers and title are texts from anywhere."""

    def __init__(
        self, *headers: rich.table.Column | str, title: str | None = None, **options: Any
    ) -> None:
        shown = [printable(one) if isinstance(one, str) else one for one in headers]
        super().__init__(*shown, title=None if title is None else printable(title), **options)

    def add_row(self, *cells: Any, **options: Any) -> None:
        """Add a row; a line end in a cell begins a new line of the cell."""
        shown = [
            "\n".join(map(printable, one.split("\n"))) if isinstance(one, str) else one
            for one in cells
        ]
        super().add_row(*shown, **options)
