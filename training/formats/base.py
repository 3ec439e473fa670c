"""What a reader of annotated files is told, and how it reports what it leaves out."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from claimstance.model.record import Record

OnDrop = Callable[[str], None]  # told why, for each row that is left out


@dataclass(frozen=True)
class Layout:
    """How a file is laid out, where it does not say so itself.

    Attributes:
        columns: our column (text, label, target, holder, id, doc_id) → the file's; only for tables.
        task: what the label column is: claim, check_worthy or stance; ``None``: stance if there is a target, else
            claim. Only for tables.
        target: one stance target for all rows; only for tables.
        labels: task → its label names. JSON Lines keeps the default sets where a task is missing here; a table's labels
            are then its own.
        lenient: leave out rows of a table that cannot be used, instead of stopping there.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    task: str | None = None
    target: str | None = None
    labels: Mapping[str, Sequence[str]] = field(default_factory=dict)
    lenient: bool = False


Reader = Callable[[Path, Layout, OnDrop], Iterator[Record]]
