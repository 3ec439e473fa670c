"""Output formats, and the writers of those that can be written in parts."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from enum import Enum
from typing import TYPE_CHECKING, Any, TextIO

from claimstance.model.labels import TASKS

if TYPE_CHECKING:
    from claimstance.inference.writers.text import Writer


class OutputFormat(str, Enum):
    """Name the output formats of ``claimstance tag``."""

    jsonl = "jsonl"
    csv = "csv"
    html = "html"
    labelstudio = "labelstudio"
    parquet = "parquet"


class RowKind(str, Enum):
    """Name the kinds of rows of a CSV or Parquet file."""

    sentences = "sentences"
    stances = "stances"
    attributions = "attributions"


#: Formats that a folder can store in parts, so that an interrupted run can be resumed.
FORMATS_IN_PARTS = (OutputFormat.jsonl, OutputFormat.csv, OutputFormat.parquet)
TABLE_FORMATS = (OutputFormat.csv, OutputFormat.parquet)


@contextmanager
def article_writer(
    output_format: OutputFormat,
    row_kind: RowKind,
    file: TextIO,
    meta: Mapping[str, Any] | None = None,
    tasks: Collection[str] = TASKS,
) -> Iterator["Writer"]:
    """Create a writer to an open file in a format of ``FORMATS_IN_PARTS``.

    Args:
        output_format: the format.
        row_kind: the kind of rows of a table.
        file: the file.
        meta: metadata that determine the columns; those of the first article by default.
        tasks: the tasks of the model; columns of other tasks are omitted.
    """
    from claimstance.inference.writers.parquet import open_parquet
    from claimstance.inference.writers.text import CsvWriter, JsonlWriter

    if output_format is OutputFormat.parquet:
        with open_parquet(file.buffer, row_kind.value, meta, tasks) as writer:
            yield writer
    elif output_format is OutputFormat.csv:
        table = CsvWriter(file, row_kind.value, meta, tasks)
        yield table
        table.finish()
    else:
        yield JsonlWriter(file)
