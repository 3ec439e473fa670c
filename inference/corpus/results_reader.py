"""Tagged articles from the JSON Lines and Parquet files of ``claimstance tag``, a few in memory at a time."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from claimstance.inference.articles.article import MAX_TEXT
from claimstance.inference.articles.parquet import BUFFER, check_packing, parquet_errors
from claimstance.inference.results import TaggedArticle
from claimstance.inference.writers.parquet import RECORD
from claimstance.model.errors import InputError, printable
from claimstance.model.io.files import open_regular
from claimstance.model.io.text_lines import checked_lines
from claimstance.model.io.validation import first_problem

_LINES = (".jsonl", ".ndjson")
_PARQUET = ".parquet"
_TABLES = (".csv", ".tsv")
_MANIFEST = "manifest.json"  # of a run of ``tag`` into a folder
_BATCH_ROWS = 256  # of Parquet in memory: rows are sentences
#: Bytes of a line: results are about twenty times as long as the article.
_LONGEST_LINE = 40 * MAX_TEXT
_TAGGED_ARTICLE = TypeAdapter(TaggedArticle)


@dataclass(frozen=True)
class ReadResult:
    """Represent a tagged article that was read.

    Attributes:
        article: the article.
        where: the file and the line or row, for messages.
        size: the bytes that it takes in the file; about, for Parquet.
    """

    article: TaggedArticle
    where: str
    size: int


def read_results(paths: Sequence[Path]) -> Iterator[ReadResult]:
    """Yield the tagged articles of files and folders, in order.

    Args:
        paths: JSON Lines or Parquet files; and folders with such files, as ``tag --out FOLDER`` writes them.

    Raises:
        InputError: if a file, a line or a row cannot be read. A bad line ends the reading, since figures
            from the other lines would look complete.
    """
    for file in result_files(paths):
        if file.suffix.lower() == _PARQUET:
            yield from _read_parquet(file)
            continue
        for number, line in enumerate(checked_lines(file, _LONGEST_LINE), 1):
            if isinstance(line, InputError):
                raise line
            if line.strip():
                where = f"{file}, line {number}"
                yield ReadResult(_parse(line, where), where, len(line.encode()) + 1)


def result_files(paths: Sequence[Path]) -> list[Path]:
    """Return the files among ``paths`` and in its folders, sorted by name within a folder.

    Of a folder with JSON Lines and Parquet, only the JSON Lines count: both may have the same articles.

    Raises:
        InputError: if a path does not exist, has another format, or a folder has no results.
    """
    files: dict[Path, None] = {}  # in order, each once
    for path in paths:
        if not path.is_dir():
            if not path.exists():
                raise InputError(
                    f"{path}: expected a file or folder with results of tag, found none"
                )
            if path.suffix.lower() in _TABLES:
                raise _table_error(path)
            files[path] = None
            continue

        try:
            visible = sorted(file for file in path.iterdir() if not file.name.startswith("."))
        except OSError as error:
            raise InputError(f"{path}: {error.strerror or error}") from None
        lines = [file for file in visible if file.suffix.lower() in _LINES]
        results = lines or [file for file in visible if file.suffix.lower() == _PARQUET]
        tables = [file for file in visible if file.suffix.lower() in _TABLES]
        if tables and not results:
            raise _table_error(tables[0])
        if not results:
            names = ", ".join(printable(file.name) for file in visible[:3]) or "an empty folder"
            raise InputError(f"{path}: expected files ending in .jsonl or .parquet, found {names}")
        files.update(dict.fromkeys(results))
    return list(files)


def results_size(paths: Sequence[Path]) -> int:
    """Return the bytes of all files with results, for a progress bar; errors as in ``result_files``."""
    return sum(file.stat().st_size for file in result_files(paths))


def unfinished_runs(paths: Sequence[Path]) -> list[Path]:
    """Return the folders among ``paths`` that a run of ``tag`` has not finished writing."""
    unfinished = []
    for path in paths:
        try:
            with open_regular(path / _MANIFEST) as file:
                manifest = json.loads(file.read())
        except (OSError, ValueError, InputError):
            continue
        if isinstance(manifest, dict) and manifest.get("complete") is False:
            unfinished.append(path)
    return unfinished


def _table_error(path: Path) -> InputError:
    """Return the error about a table, which lacks a part of the results."""
    suffix = path.suffix.upper().removeprefix(".")
    return InputError(
        f"{path}: expected JSON Lines or Parquet, found a {suffix} file, which lacks a part of the "
        "results: tag the articles again with `claimstance tag … --format jsonl`"
    )


def _read_parquet(path: Path) -> Iterator[ReadResult]:
    """Yield the articles of a Parquet file: each is in the row of its first sentence, in the column ``RECORD``."""
    with parquet_errors(path):
        from pyarrow import types
        from pyarrow.parquet import ParquetFile

        with ParquetFile(path, pre_buffer=False, buffer_size=BUFFER) as file:
            check_packing(file.metadata, path)
            schema = file.schema_arrow
            if RECORD not in schema.names or not types.is_string(schema.field(RECORD).type):
                raise InputError(
                    f"{path}: expected the column '{RECORD}' with the complete results, found none: tag the "
                    "articles again with `claimstance tag … --format parquet --rows sentences`"
                )
            # The bytes of an article are not known: all rows are taken to be equally large.
            bytes_of_row = path.stat().st_size / max(1, file.metadata.num_rows)
            row = row_before = 0
            for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=[RECORD]):
                for record in batch.column(0).to_pylist():
                    row += 1
                    if record is None:
                        continue
                    where = f"{path}, row {row}"
                    size = round((row - row_before) * bytes_of_row)
                    yield ReadResult(_parse(record, where), where, size)
                    row_before = row


def _parse(text: str, where: str) -> TaggedArticle:
    """Return the article of a JSON text."""
    try:
        return _TAGGED_ARTICLE.validate_json(text)
    except ValidationError as error:
        field, problem = first_problem(error.errors(include_url=False))
        if field:
            problem = f"at {field}: {problem}"
        raise InputError(
            f"{where}: expected an article as `claimstance tag` writes it, {problem}"
        ) from None
