"""Annotation formats, a file each: annotated files in, records out."""

from collections.abc import Iterator
from pathlib import Path

from claimstance.model.errors import ConfigError, InputError, unknown
from claimstance.model.record import Record
from claimstance.training.data.documents.format import COLUMNS, Format, Layout, OnDrop, ReadReport
from claimstance.training.data.formats import (
    argilla,
    conll,
    doccano,
    jsonl,
    prodigy,
    spacy_docbin,
    table,
)
from claimstance.training.data.formats.brat import reader as brat
from claimstance.training.data.formats.label_studio import reader as labelstudio
from claimstance.training.data.formats.webanno import reader as webanno

#: The formats in the order in which they are asked whether a file is theirs: a new one is one line.
FORMATS: dict[str, Format] = {
    format.name: format
    for format in (
        doccano.FORMAT,
        jsonl.FORMAT,
        labelstudio.FORMAT,
        spacy_docbin.JSON,
        brat.FORMAT,
        prodigy.FORMAT,
        argilla.FORMAT,
        spacy_docbin.DOCBIN,
        webanno.FORMAT,
        conll.FORMAT,
        table.CSV,
        table.TSV,
        table.XLSX,
        table.PARQUET,
    )
}
_HEAD = 65_536  # bytes by which a file is recognised


def recognise(path: Path, name: str | None = None) -> Format:
    """The format of a file: ``name`` if given, else by its suffix and what it starts with.

    Raises:
        ConfigError: for a name that is not a format's.
        InputError: for a file that no format takes for its own, or that cannot be opened.
    """
    if name is not None:
        if name not in FORMATS:
            raise ConfigError(unknown("format", name, FORMATS))
        return FORMATS[name]
    suffix = "" if path.is_dir() else path.suffix.lower()
    formats = [format for format in FORMATS.values() if suffix in format.suffixes]
    head = _head(path) if formats else ""
    for format in formats:
        if format.recognise(head):
            return format
    if jsonl.FORMAT in formats:
        return jsonl.FORMAT  # whose reader says in which line what is not as it should be
    if formats:
        raise InputError(
            f"{path}: expected what {' or '.join(f.name for f in formats)} looks like, found "
            "something else; if it is that, or another format, name it with --format"
        )
    suffixes = dict.fromkeys(
        suffix for format in FORMATS.values() for suffix in format.suffixes if suffix
    )
    raise InputError(
        f"{path}: expected a file whose name ends in {', '.join(suffixes)}, or its format, found "
        f"'{path.suffix}'"
    )


def files_in(path: Path, name: str | None = None) -> list[Path]:
    """The annotated files that a path stands for: itself; if it is a folder, those in it and in its folders, in order.

    A folder in a format that has folders (brat's) is read as one, and so is one without any annotated file, for the
    message that this gives. Articles (``.txt``) and hidden files in a folder are none.

    Args:
        path: a file or a folder.
        name: the format of the files; any if ``None``.
    """
    formats = list(FORMATS.values()) if name is None else [FORMATS[name]]
    if not path.is_dir() or (name is not None and "" in FORMATS[name].suffixes):
        return [path]
    files = [
        file
        for file in sorted(path.rglob("*"))
        if file.is_file() and not any(part.startswith(".") for part in file.relative_to(path).parts)
    ]
    if name is None and any(file.suffix == ".ann" for file in files):
        return [path]
    suffixes = {suffix for format in formats for suffix in format.suffixes} - {"", ".txt"}
    return [file for file in files if file.suffix.lower() in suffixes] or [path]


def _head(path: Path) -> str:
    try:
        if path.is_dir():
            return "\n".join(sorted(entry.name for entry in path.iterdir()))[:_HEAD]
        with path.open("rb") as file:
            return file.read(_HEAD).decode("utf-8-sig", errors="replace")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None


def read_file(
    path: Path | str,
    format: str | None = None,
    layout: Layout | None = None,
    reading: ReadReport | None = None,
) -> Iterator[Record]:
    """The records of an annotated file, or of a folder in a format that has folders.

    Several annotators of a sentence give a record each, with one ``id`` and the ``annotator``.

    Args:
        path: the file.
        format: the name of its format; recognised if ``None``.
        layout: what the file does not say itself.
        reading: counts what is left out, and takes down what the report says of the file.

    Raises:
        ConfigError: for an unknown format.
        InputError: naming the file and the line, what was expected and what was found.
    """
    from claimstance.training.data.documents.assemble import records

    found = recognise(Path(path), format)
    layout, reading = layout or Layout(), reading if reading is not None else ReadReport()
    reading.facts["format"] = found.name
    if found.read is not None:
        return found.read(Path(path), layout, reading)
    return records(found, Path(path), layout, reading)


__all__ = [
    "COLUMNS",
    "FORMATS",
    "Format",
    "Layout",
    "OnDrop",
    "ReadReport",
    "files_in",
    "read_file",
    "recognise",
]
