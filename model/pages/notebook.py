"""Tables for notebooks: fragments of HTML without scripts, links and style sheets."""

from collections.abc import Iterable, Sequence
from html import escape

from claimstance.model.pages.markup import visible


def table(
    caption: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Iterable[str]]],
    notes: Iterable[str] = (),
) -> str:
    """Return a table whose texts are shown as they are, whatever stands in them.

    Args:
        caption: above the table.
        columns: their headings.
        rows: cells, each given by its lines.
        notes: paragraphs below the table.
    """
    head = "".join(f"<th>{_safe(column)}</th>" for column in columns)
    body = ""
    for row in rows:
        body += "<tr>"
        for lines in row:
            body += f'<td style="text-align:left">{"<br>".join(map(_safe, lines))}</td>'
        body += "</tr>"
    below = "".join(f"<p>{_safe(note)}</p>" for note in notes)
    return (
        f"<table><caption>{_safe(caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table>{below}"
    )


def _safe(text: str) -> str:
    return escape(visible(text))
