"""Writing rows to Parquet, a group of rows in memory at a time."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, BinaryIO

from claimstance.inference.results import TaggedArticle
from claimstance.inference.writers.rows import Column, MetaColumns, Table, table_of
from claimstance.model.errors import ConfigError
from claimstance.model.labels import TASKS

_ROWS = 10_000  # of a group
_CHARACTERS = 16_000_000  # of a group, if fewer rows have as many


@contextmanager
def open_parquet(
    file: BinaryIO,
    rows: str = "sentences",
    meta: Mapping[str, Any] | None = None,
    tasks: Collection[str] = TASKS,
) -> Iterator["ParquetWriter"]:
    """A writer to ``file``, which gets the end that makes it Parquet only if all went well.

    Args:
        file: where to.
        rows: a key of ``TABLES``.
        meta: of the article that settles the columns, if that is not the first one written.
        tasks: of the model: columns that it never fills are left out.

    Raises:
        ConfigError: without pyarrow.
    """
    sink = _Sink(file)
    writer = ParquetWriter(sink, table_of(rows, tasks), meta)
    try:
        yield writer
        writer.flush()
    except BaseException:
        sink.closed = True
        raise
    finally:
        writer.close()


class _Sink:
    """A file that can be shut: Arrow writes the end of a file whenever it lets go of it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.closed = False

    def write(self, data: bytes) -> int:
        return len(data) if self.closed else self._file.write(data)

    def flush(self) -> None:
        if not self.closed:
            self._file.flush()


class ParquetWriter:
    """Write typed rows (``rows``: of which kind), with lists and spans as such; see docs/output.md."""

    def __init__(self, file: _Sink, table: Table, meta: Mapping[str, Any] | None) -> None:
        try:
            import pyarrow.parquet  # noqa: F401
        except ImportError:
            raise ConfigError(
                "--format parquet: this needs 'pyarrow': pip install 'claimstance[parquet]'"
            ) from None
        self._file = file
        self._table = table
        self._meta = None if meta is None else MetaColumns(meta, table.own_meta)
        self._writer: Any = None
        self._rows: list[dict[str, Any]] = []
        self._characters = 0

    def write(self, article: TaggedArticle) -> None:
        """Write the rows of one article."""
        self._meta = self._meta or MetaColumns(article.meta, self._table.own_meta)
        meta = self._meta.cells(article.meta)
        along = sum(len(value) for value in meta.values() if value)
        for row in self._table.rows(article):
            self._rows.append({**row, **meta})
            self._characters += along + sum(
                len(value) for value in row.values() if isinstance(value, str)
            )
            if len(self._rows) >= _ROWS or self._characters >= _CHARACTERS:
                self.flush()

    def close(self) -> None:
        """Write the end of the file."""
        if self._writer is not None:
            self._writer.close()

    def flush(self) -> None:
        """Write the rows that are held as a group."""
        import pyarrow
        from pyarrow.parquet import ParquetWriter as Writer

        if self._writer is None:
            self._meta = self._meta or MetaColumns({}, self._table.own_meta)
            schema = _schema((*self._table.columns, *self._meta.columns))
            self._writer = Writer(self._file, schema, compression="zstd")
        if self._rows:
            self._writer.write_table(
                pyarrow.Table.from_pylist(self._rows, schema=self._writer.schema)
            )
        self._rows, self._characters = [], 0


def _schema(columns: tuple[Column, ...]) -> Any:
    import pyarrow as pa

    place = pa.struct(
        [("text", pa.string()), ("start", pa.int64()), ("end", pa.int64()), ("name", pa.string())]
    )
    types = {
        "text": pa.string(),
        "integer": pa.int64(),
        "number": pa.float64(),
        "flag": pa.bool_(),
        "texts": pa.list_(pa.string()),
        "attributions": pa.list_(
            pa.struct(
                [
                    ("source", place),
                    ("cue", place),
                    ("content", place),
                    ("probability", pa.float64()),
                ]
            )
        ),
    }
    return pa.schema([(column.name, types[column.kind]) for column in columns])
