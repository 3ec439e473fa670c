"""Parquet, with a few rows in memory at a time."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from claimstance.inference.articles.article import Article, Columns, missing_library, one_line
from claimstance.inference.articles.corpus import (
    ChosenColumns,
    article_from_row,
    check_unique,
    choose_columns,
)
from claimstance.model.errors import InputError
from claimstance.model.io.files import check_regular

log = logging.getLogger(__name__)
_LARGE = 100_000_000  # bytes; smaller files may unpack to any multiple of their size
_MAX_RATIO = 1_000  # of unpacked to packed bytes
_BATCH_ROWS = 32  # few, since tagging them takes far longer than reading them
BUFFER = 1 << 20  # bytes read at a time, since a row group may be larger than memory


def read(path: Path, doc_id: str, columns: Columns) -> Iterator[Article | InputError]:
    """Yield the articles of a file; see ``ReadCorpus``. Rows without an id are numbered from 1.

    Columns of bytes, which may be pictures, are not copied to ``meta``.

    Raises:
        InputError: for a file that is not Parquet or has no column of text, and without pyarrow.
    """
    with parquet_errors(path):
        from pyarrow import types
        from pyarrow.parquet import ParquetFile

        with ParquetFile(path) as file:
            check_packing(file.metadata, path)
            chosen, names = _select_columns(file.schema_arrow, columns, path)
            strings = [field.name for field in file.schema_arrow if types.is_string(field.type)]

        # A few bytes may repeat a text of any length very often: dictionaries hold it once.
        with ParquetFile(
            path, read_dictionary=strings, pre_buffer=False, buffer_size=BUFFER
        ) as file:
            number = 0
            for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=names):
                for index in range(batch.num_rows):
                    number += 1
                    scalars = [column[index] for column in batch.columns]
                    row = dict(zip(names, scalars, strict=True))
                    where = f"{path}, row {number}"
                    yield _article_or_error(row, chosen, f"{doc_id}:{number}", where)


@contextmanager
def parquet_errors(path: Path) -> Iterator[None]:
    """Raise ``InputError`` if pyarrow is missing or cannot read a file; the system's errors stay as they are."""
    try:
        import pyarrow
    except ImportError:
        raise missing_library(str(path), "pyarrow", "parquet") from None
    check_regular(path)
    try:
        yield
    except (OSError, pyarrow.ArrowException, UnicodeDecodeError) as error:
        # Only the system's errors have a strerror: pyarrow raises OSError for damaged files, too.
        if getattr(error, "strerror", None):
            raise
        raise InputError(
            f"{path}: expected a Parquet file, found one that cannot be read ({one_line(error)})"
        ) from None


def _article_or_error(
    row: dict[str, Any], chosen: ChosenColumns, doc_id: str, where: str
) -> Article | InputError:
    """Return the article of a row of pyarrow scalars; an error costs this row alone."""
    try:
        values = {name: scalar.as_py() for name, scalar in row.items()}
        return article_from_row(values, chosen, doc_id, where)
    except UnicodeDecodeError as error:
        return InputError(f"{where}: expected UTF-8 text, found {error.reason}")
    except InputError as error:
        return error


def check_packing(metadata: Any, path: Path) -> None:
    """Raise ``InputError`` for a file that unpacks to so much more than its size that it would fill the memory."""
    # The sizes of columns are not read: pyarrow ends the process if the metadata of a column is damaged.
    size = 0
    for number in range(metadata.num_row_groups):
        size += metadata.row_group(number).total_byte_size
    if size > _LARGE and size > _MAX_RATIO * path.stat().st_size:
        raise InputError(
            f"{path}: expected a file that unpacks to at most {_MAX_RATIO:,} times its size, found "
            f"{size:,} bytes"
        )


def _select_columns(schema: Any, columns: Columns, path: Path) -> tuple[ChosenColumns, list[str]]:
    """Return the columns of text, id and title, and the names of all columns to read."""
    from pyarrow import types

    check_unique(schema.names, str(path))
    chosen = choose_columns(schema.names, columns, str(path), str(path))
    text_type = schema.field(chosen.text).type
    if types.is_dictionary(text_type):
        text_type = text_type.value_type
    string_tests = (types.is_string, types.is_large_string, types.is_string_view)
    if not any(is_type(text_type) for is_type in string_tests):
        raise InputError(
            f"{path}: expected text in the column '{one_line(chosen.text)}', found {one_line(text_type)}"
        )

    bytes_tests = (
        types.is_binary,
        types.is_large_binary,
        types.is_binary_view,
        types.is_fixed_size_binary,
    )
    names, skipped = [], []
    for field in schema:
        if any(is_type(field.type) for is_type in bytes_tests):
            skipped.append(field.name)
        else:
            names.append(field.name)
    if skipped:
        listed = one_line(", ".join(skipped))
        log.warning("%s: columns of bytes do not travel along: %s", path, listed)
    return chosen, names
