"""Annotation formats, each in a module of its own, which turns annotated files into records."""

from collections.abc import Iterator
from pathlib import Path

from claimstance.model.errors import ConfigError, InputError, unknown
from claimstance.model.io.files import open_regular
from claimstance.model.record import Record
from claimstance.training.data.documents.assemble import records as assemble_records
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

#: The formats, in the order in which they are tried on a file; a new format is one more line.
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
_HEAD_BYTES = 65_536  # bytes by which a file is recognised


def recognise(path: Path, name: str | None = None) -> Format:
    """Return the format of a file: ``name`` if given, else by its suffix and its first bytes.

    Raises:
        ConfigError: for a name that is not a format's.
        InputError: for a file of no format, or one that cannot be opened.
    """
    if name is not None:
        if name not in FORMATS:
            raise ConfigError(unknown("format", name, FORMATS))
        return FORMATS[name]

    suffix = "" if path.is_dir() else path.suffix.lower()
    formats = [format for format in FORMATS.values() if suffix in format.suffixes]
    if not formats:
        known_suffixes: dict[str, None] = {}  # a dictionary keeps the order
        for format in FORMATS.values():
            known_suffixes.update(dict.fromkeys(format.suffixes))
        known_suffixes.pop("", None)  # the suffix of a folder
        raise InputError(
            f"{path}: expected a file whose name ends in {', '.join(known_suffixes)}, "
            f"or its format, found '{path.suffix}'"
        )

    # Several formats share a suffix such as .json, and only the content shows which one it is.
    head = _read_head(path)
    for format in formats:
        if format.recognise(head):
            return format
    if jsonl.FORMAT in formats:
        # Its reader reports the line and the key that are wrong.
        return jsonl.FORMAT
    names = " or ".join(format.name for format in formats)
    raise InputError(
        f"{path}: expected what {names} looks like, found something else; "
        "if it is that, or another format, name it with --format"
    )


def _read_head(path: Path) -> str:
    """Return the first bytes of a file as text; of a folder, the names in it, a line each."""
    try:
        if path.is_dir():
            names = sorted(entry.name for entry in path.iterdir())
            return "\n".join(names)[:_HEAD_BYTES]
        with open_regular(path) as file:
            return file.read(_HEAD_BYTES).decode("utf-8-sig", errors="replace")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None


def files_in(path: Path, name: str | None = None) -> list[Path]:
    """Return the annotated files of a path: the path itself, or the files in a folder and its folders, in order.

    A folder in a format that has folders (brat's) is one path. So is a folder without any annotated file, so that the
    reader can report it. Articles (``.txt``) and hidden files in a folder are ignored.

    Args:
        path: a file or a folder.
        name: the format of the files; any if ``None``.
    """
    formats = list(FORMATS.values()) if name is None else [FORMATS[name]]
    if not path.is_dir() or (name is not None and "" in FORMATS[name].suffixes):
        return [path]

    files = []
    for file in sorted(path.rglob("*")):
        is_hidden = any(folder.startswith(".") for folder in file.relative_to(path).parts)
        if file.is_file() and not is_hidden:
            files.append(file)

    # brat keeps a document in two files, so that the folder is read as one.
    if name is None and any(file.suffix == ".ann" for file in files):
        return [path]
    suffixes: set[str] = set()
    for format in formats:
        suffixes.update(format.suffixes)
    suffixes -= {"", ".txt"}
    return [file for file in files if file.suffix.lower() in suffixes] or [path]


def read_file(
    path: Path | str,
    format: str | None = None,
    layout: Layout | None = None,
    report: ReadReport | None = None,
) -> Iterator[Record]:
    """Return an iterator over the records of an annotated file, or of a folder in a format that has folders.

    Several annotators of a sentence have a record each, with one ``id`` and the ``annotator``.

    Args:
        path: the file.
        format: the name of its format; recognised if ``None``.
        layout: settings that the file does not contain.
        report: counts records that are left out, and notes facts about the file for the report.

    Raises:
        ConfigError: for an unknown format.
        InputError: naming the file and the line, what was expected and what was found.
    """
    path = Path(path)
    layout = layout or Layout()
    report = ReadReport() if report is None else report
    file_format = recognise(path, format)
    report.facts["format"] = file_format.name
    if file_format.read is not None:
        return file_format.read(path, layout, report)
    return assemble_records(file_format, path, layout, report)


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
