"""Writer of Parquet files, which holds one group of rows in memory."""

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, BinaryIO

from claimstance.inference.results import TaggedArticle
from claimstance.inference.writers.rows import Column, MetaColumns, TableSchema, table_schema
from claimstance.model.errors import ConfigError
from claimstance.model.labels import TASKS

#: The column with the whole article as JSON, in the row of its first sentence: ``claimstance report`` reads
#: it, since the other columns lack a part of the results.
RECORD = "record"
#: A group of rows is written once it has so many rows or characters.
_ROWS_PER_GROUP = 10_000
_CHARACTERS_PER_GROUP = 16_000_000


@contextmanager
def open_parquet(
    file: BinaryIO,
    rows: str = "sentences",
    meta: Mapping[str, Any] | None = None,
    tasks: Collection[str] = TASKS,
) -> Iterator["ParquetWriter"]:
    """Open a writer of Parquet; the file gets its footer, and becomes readable, only if no error occurs.

    Args:
        file: the file.
        rows: the kind of rows, a key of ``TABLES``.
        meta: metadata that determine the columns; those of the first article by default.
        tasks: the tasks of the model; columns of other tasks are omitted.

    Raises:
        ConfigError: if pyarrow is not installed.
    """
    sink = _ClosableSink(file)
    writer = ParquetWriter(sink, table_schema(rows, tasks), meta, with_records=rows == "sentences")
    try:
        yield writer
        writer.flush()
    except BaseException:
        sink.closed = True
        raise
    finally:
        writer.close()


class _ClosableSink:
    """Discard writes after an error: Arrow writes the footer whenever it closes a file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.closed = False

    def write(self, data: bytes) -> int:
        return len(data) if self.closed else self._file.write(data)

    def flush(self) -> None:
        if not self.closed:
            self._file.flush()


class ParquetWriter:
    """Write typed rows, with lists and spans as nested values; see docs/output.md.

    Args:
        file: the file.
        table: the kind of rows.
        meta: metadata that determine the columns; those of the first article if ``None``.
        with_records: add the column ``RECORD``.
    """

    def __init__(
        self,
        file: _ClosableSink,
        table: TableSchema,
        meta: Mapping[str, Any] | None,
        with_records: bool = False,
    ) -> None:
        try:
            import pyarrow.parquet  # noqa: F401
        except ImportError:
            raise ConfigError(
                "--format parquet: this needs 'pyarrow': pip install 'claimstance[parquet]'"
            ) from None
        self._file = file
        self._table = table
        self._with_records = with_records
        self._meta = None if meta is None else MetaColumns(meta, table.own_meta)
        self._writer: Any = None
        self._rows: list[dict[str, Any]] = []
        self._characters = 0

    def write(self, article: TaggedArticle) -> None:
        """Write the rows of one article."""
        self._meta = self._meta or MetaColumns(article.meta, self._table.own_meta)
        meta = self._meta.cells(article.meta)
        record = None
        if self._with_records:
            record = json.dumps(article.to_dict(), ensure_ascii=False)
        for row in self._table.rows(article):
            full_row = {**row, **meta, RECORD: record}
            record = None  # the other rows of the article have none
            self._rows.append(full_row)
            # Texts, above all the record, take nearly all of the memory.
            for value in full_row.values():
                if isinstance(value, str):
                    self._characters += len(value)
            is_full = len(self._rows) >= _ROWS_PER_GROUP
            if is_full or self._characters >= _CHARACTERS_PER_GROUP:
                self.flush()

    def close(self) -> None:
        """Write the footer of the file."""
        if self._writer is not None:
            self._writer.close()

    def flush(self) -> None:
        """Write the rows in memory as one group."""
        import pyarrow as pa
        from pyarrow.parquet import ParquetWriter as Writer

        if self._writer is None:
            # Without any article, the file still gets a schema, so that it can be read.
            self._meta = self._meta or MetaColumns({}, self._table.own_meta)
            columns = [*self._table.columns, *self._meta.columns]
            if self._with_records:
                columns.append(Column(RECORD, "text", ""))
            schema = _schema(columns)
            self._writer = Writer(self._file, schema, compression="zstd")
        if self._rows:
            self._writer.write_table(pa.Table.from_pylist(self._rows, schema=self._writer.schema))
        self._rows, self._characters = [], 0


def _schema(columns: Collection[Column]) -> Any:
    """Return the Arrow schema of the columns."""
    import pyarrow as pa

    text, integer, number = pa.string(), pa.int64(), pa.float64()
    span = pa.struct([("text", text), ("start", integer), ("end", integer), ("name", text)])
    attribution = pa.struct(
        [("source", span), ("cue", span), ("content", span), ("probability", number)]
    )
    types = {
        "text": text,
        "integer": integer,
        "number": number,
        "flag": pa.bool_(),
        "texts": pa.list_(text),
        "attributions": pa.list_(attribution),
    }
    return pa.schema([(column.name, types[column.kind]) for column in columns])
