"""Parquet, a few rows in memory at a time."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from claimstance.inference.articles.article import Article, Columns, missing, told
from claimstance.inference.articles.corpus import Chosen, article_of, check_names, choose
from claimstance.model.errors import InputError
from claimstance.model.io.files import check_regular

log = logging.getLogger(__name__)
_LARGE = 100_000_000
_TIGHTEST = 1_000
_ROWS = 32  # at a time: what tagging takes of them is long beside reading
_BUFFER = 1 << 20  # bytes read at a time, of row groups that may be larger than memory


def read(path: Path, doc_id: str, columns: Columns) -> Iterator[Article | InputError]:
    """The articles of a file; see ``ReadCorpus``. Rows without an id are numbered from 1.

    Columns of bytes, which may be pictures, do not travel along.

    Raises:
        InputError: for a file that is no Parquet or has no column of text, and without pyarrow.
    """
    try:
        import pyarrow
        from pyarrow import types
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise missing(str(path), "pyarrow", "parquet") from None
    check_regular(path)
    try:
        with ParquetFile(path) as file:
            _check_packing(file.metadata, path)
            chosen, names = _columns(file.schema_arrow, columns, path)
            texts = [field.name for field in file.schema_arrow if types.is_string(field.type)]
        # As dictionaries, equal texts are held once: a few bytes of a file may say one of any length very often.
        with ParquetFile(
            path, read_dictionary=texts, pre_buffer=False, buffer_size=_BUFFER
        ) as file:
            number = 0
            for batch in file.iter_batches(batch_size=_ROWS, columns=names):
                for place in range(batch.num_rows):
                    number += 1
                    row = {
                        name: column[place]
                        for name, column in zip(names, batch.columns, strict=True)
                    }
                    yield _article(row, chosen, f"{doc_id}:{number}", f"{path}, row {number}")
    except (OSError, pyarrow.ArrowException, UnicodeDecodeError) as error:
        if getattr(
            error, "strerror", None
        ):  # the system's: for what is damaged, pyarrow raises an OSError as well
            raise
        raise InputError(
            f"{path}: expected a Parquet file, found one that cannot be read ({told(error)})"
        ) from None


def _article(row: dict[str, Any], chosen: Chosen, doc_id: str, where: str) -> Article | InputError:
    try:
        return article_of(
            {name: value.as_py() for name, value in row.items()}, chosen, doc_id, where
        )
    except UnicodeDecodeError as error:
        return InputError(f"{where}: expected UTF-8 text, found {error.reason}")
    except InputError as error:  # costs this row alone
        return error


def _check_packing(metadata: Any, path: Path) -> None:
    """Raise ``InputError`` for what no corpus is packed like, which would not fit memory once it is unpacked."""
    # Not by column: pyarrow ends the process where what is told of one is damaged.
    size = sum(
        metadata.row_group(number).total_byte_size for number in range(metadata.num_row_groups)
    )
    if size > _LARGE and size > _TIGHTEST * path.stat().st_size:
        raise InputError(
            f"{path}: expected a file that unpacks to at most {_TIGHTEST:,} times its size, found "
            f"{size:,} bytes"
        )


def _columns(schema: Any, columns: Columns, path: Path) -> tuple[Chosen, list[str]]:
    """The columns that were chosen, and all that are read."""
    from pyarrow import types

    check_names(schema.names, str(path))
    chosen = choose(schema.names, columns, str(path), str(path))
    kind = schema.field(chosen.text).type
    kind = kind.value_type if types.is_dictionary(kind) else kind
    if not (types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)):
        raise InputError(
            f"{path}: expected text in the column '{told(chosen.text)}', found {told(kind)}"
        )
    is_bytes = (
        types.is_binary,
        types.is_large_binary,
        types.is_binary_view,
        types.is_fixed_size_binary,
    )
    left = [field.name for field in schema if any(test(field.type) for test in is_bytes)]
    if left:
        log.warning("%s: columns of bytes do not travel along: %s", path, told(", ".join(left)))
    return chosen, [name for name in schema.names if name not in left]
