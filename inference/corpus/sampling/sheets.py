"""Samples as files that people fill in: a spreadsheet (CSV), or tasks for Label Studio (JSON).

Both have the same fields. ``gold`` is for the answer, ``question`` and ``allowed`` explain it, and the fields
from ``model_label`` on lead back to the results. Label Studio shows only the question, the sentence with the
sentences around it, and the allowed labels: whoever sees the model's answer tends to agree with it.

``read_labelled`` reads a filled sheet, and the exports of Label Studio as JSON, JSON-MIN and CSV.
"""

import csv
import json
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from claimstance.inference.articles.article import MAX_TEXT
from claimstance.inference.corpus.sampling.drawing import Sample
from claimstance.inference.corpus.sampling.units import UnitKind
from claimstance.inference.results import NO_SIDE
from claimstance.inference.writers.text import escape_formula, open_output
from claimstance.model.errors import InputError, shorten
from claimstance.model.io.delimiters import encoding_hint, find_dialect
from claimstance.model.io.files import open_regular
from claimstance.model.io.text_lines import checked_lines
from claimstance.model.io.validation import describe
from claimstance.model.labels import CLAIM

TASKS_SUFFIX = ".json"
GOLD = "gold"
#: The fields of a sheet, in order, and their description for the documentation.
FIELDS = {
    GOLD: "your answer: one of the labels in `allowed`; empty as long as a row is not coded",
    "question": "what is asked about the sentence",
    "allowed": "the labels to choose from",
    "holder": "who holds the stance; empty for the text itself (stances only)",
    "target": "what the stance is on (stances only)",
    "text": "the sentence",
    "before": "the sentence before it",
    "after": "the sentence after it",
    "title": "title of the article",
    "outlet": "its outlet",
    "date": "its date",
    "doc_id": "its id",
    "sentence": "index of the sentence in the article, from 0",
    "model_label": "the model's label",
    "model_probability": "probability of that label",
    "stratum": "the stratum that the row was drawn from",
    "stratum_units": "number of answers of the stratum in the results",
    "all_units": "number of answers of all strata",
    "weight": "number of answers that the row stands for, once all rows are coded",
    "unit": "what identifies the answer in the results",
}
_STANCE_FIELDS = ("holder", "target")
#: The fields that reading needs.
_NEEDED = (GOLD, "model_label", "stratum", "stratum_units", "all_units", "unit")
_KINDS = {"stance": UnitKind.stances, "sentence": UnitKind.sentences}


@dataclass(frozen=True)
class CodedRow:
    """Represent a row of a sheet; its label is empty as long as it is not coded.

    Attributes:
        unit: what identifies the answer in the results.
        gold: the label that a person gave it.
        model_label: the label that the model gave it.
        stratum: its stratum.
        stratum_units: the number of answers of the stratum in the results.
        where: the file and the row, for messages.
    """

    unit: str
    gold: str
    model_label: str
    stratum: str
    stratum_units: int
    where: str

    @classmethod
    def parse(cls, fields: Mapping[str, Any], where: str) -> "CodedRow":
        """Return a row from its fields; raise ``InputError`` if a field has another type."""
        return cls(
            unit=_text(fields, "unit", where),
            gold=_text(fields, GOLD, where),
            model_label=_text(fields, "model_label", where),
            stratum=_text(fields, "stratum", where),
            stratum_units=_number(fields, "stratum_units", where),
            where=where,
        )

    @property
    def kind(self) -> UnitKind:
        """Return the kind of the unit, with which its key begins: ``stance-…``.

        Raises:
            InputError: if the key begins with another word.
        """
        kind = _KINDS.get(self.unit.partition("-")[0])
        if kind is None:
            raise InputError(
                f"{self.where}: unit: expected stance-… or sentence-…, found '{shorten(self.unit)}'"
            )
        return kind


@dataclass(frozen=True)
class LabelledSample:
    """Represent a sample that was coded by hand, at least in part.

    Attributes:
        path: the file.
        kind: the kind of its units.
        rows: the coded rows.
        units: the number of units in the results that the sample was drawn from.
    """

    path: Path
    kind: UnitKind
    rows: Sequence[CodedRow]
    units: int

    def weights(self) -> list[float]:
        """Return the weight of each row: the units of its stratum over the coded rows of the stratum."""
        counts = Counter(row.stratum for row in self.rows)
        return [row.stratum_units / counts[row.stratum] for row in self.rows]


def write_sample(sample: Sample, out: Path | None) -> None:
    """Write a sample as CSV; or as tasks for Label Studio, if the name ends in ``.json``.

    The labelling configuration of the tasks gets the name of the file, with the suffix ``.xml``.

    Args:
        sample: the sample.
        out: the file; ``None`` for CSV to standard output.

    Raises:
        ClaimstanceError: if a file cannot be written.
    """
    rows = list(_fields(sample))
    if out is None or out.suffix.lower() != TASKS_SUFFIX:
        with open_output(out) as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(rows[0])
            for row in rows:
                writer.writerow(
                    escape_formula(cell) if isinstance(cell, str) else cell for cell in row.values()
                )
        return

    tasks = []
    for row in rows:
        del row[GOLD]  # in Label Studio the answer is no part of the task
        tasks.append({"data": row})
    with open_output(out) as file:
        file.write(json.dumps(tasks, ensure_ascii=False, indent=1) + "\n")
    with open_output(out.with_suffix(".xml")) as file:
        file.write(_labelling_config(sample.labels))


def _fields(sample: Sample) -> Iterator[dict[str, Any]]:
    """Yield the fields of each row."""
    is_of_stances = sample.kind is UnitKind.stances
    counts = Counter(row.stratum for row in sample.rows)
    allowed = ", ".join(sample.labels)
    if is_of_stances and NO_SIDE in sample.labels:
        allowed += f" ({NO_SIDE}: the sentence shows no side of this holder on this target)"
    for row in sample.rows:
        if is_of_stances:
            holder = row.holder or "the text itself"
            question = f"Which side does {holder} take on {row.target} in this sentence?"
        elif set(sample.labels) == set(CLAIM):
            question = "Does the sentence report what somebody says, believes, wants or intends?"
        else:
            question = "Which label fits the sentence?"

        units = sample.strata[row.stratum]
        values = {
            GOLD: "",
            "question": question,
            "allowed": allowed,
            **vars(row),
            "model_label": row.label,
            "model_probability": round(row.probability, 4),
            "stratum_units": units,
            "all_units": sample.units,
            "weight": round(units / counts[row.stratum], 6),
            "unit": row.key,
        }
        fields = {name: values[name] for name in FIELDS}
        if not is_of_stances:
            for name in _STANCE_FIELDS:
                del fields[name]
        yield fields


def _labelling_config(labels: Sequence[str]) -> str:
    """Return the labelling configuration (XML) of a project that codes a sample."""
    view = ElementTree.Element("View")
    ElementTree.SubElement(view, "Header", value="$title", size="5")
    ElementTree.SubElement(view, "Text", name="before", value="$before")
    ElementTree.SubElement(view, "Text", name="text", value="$text")
    ElementTree.SubElement(view, "Text", name="after", value="$after")
    ElementTree.SubElement(view, "Header", value="$question", size="4")
    choices = ElementTree.SubElement(
        view, "Choices", name=GOLD, toName="text", choice="single-radio", required="true"
    )
    for label in labels:
        ElementTree.SubElement(choices, "Choice", value=label)
    ElementTree.SubElement(view, "Header", value="$allowed", size="6")
    ElementTree.indent(view)
    return ElementTree.tostring(view, encoding="unicode") + "\n"


def read_labelled(path: Path) -> LabelledSample:
    """Return the coded rows of a sample: of a filled sheet, or of an export from Label Studio.

    Raises:
        InputError: if the file cannot be read, is no sample, is not coded, or only in some strata.
    """
    rows: Iterator[tuple[str, Mapping[str, Any]]] = _lines(path)
    if path.suffix.lower() == TASKS_SUFFIX:
        rows = _tasks(path)
    count = 0
    coded: dict[str, CodedRow] = {}
    strata: dict[str, int] = {}  # stratum → the number of its units
    # The kind and the number of all units, which each row of a sample repeats.
    common: tuple[UnitKind, int] | None = None
    for where, fields in rows:
        count += 1
        row = CodedRow.parse(fields, where)
        row_common = (row.kind, _number(fields, "all_units", where))
        common = common or row_common
        units = strata.setdefault(row.stratum, row.stratum_units)
        if row_common != common or units != row.stratum_units:
            raise InputError(
                f"{where}: expected a row of the same sample as above, found one of another sample"
            )
        if not row.gold:
            continue
        # An answer that is given twice counts once.
        earlier = coded.setdefault(row.unit, row)
        if earlier.gold != row.gold:
            raise InputError(
                f"{where}: expected one label for each answer, found '{shorten(row.gold)}' here and "
                f"'{shorten(earlier.gold)}' before ({earlier.where}): settle the difference"
            )

    if common is None:
        raise InputError(f"{path}: expected rows to code, found none")
    if not coded:
        raise InputError(f"{path}: expected labels in '{GOLD}', found none in {count:,} rows")
    kind, units = common
    sample = LabelledSample(path, kind, list(coded.values()), units)
    _check_strata(sample, strata)
    return sample


def _check_strata(sample: LabelledSample, strata: Mapping[str, int]) -> None:
    """Raise ``InputError`` unless all strata are there, each with a coded row."""
    units = sum(strata.values())
    if units != sample.units:
        raise InputError(
            f"{sample.path}: expected all rows that were drawn, also those without a label, found strata of "
            f"{units:,} of {sample.units:,} {sample.kind.value}"
        )
    coded_strata = {row.stratum for row in sample.rows}
    missing = [name for name in strata if name not in coded_strata]
    if missing:
        raise InputError(
            f"{sample.path}: expected at least one labelled row in each stratum, found none in "
            f"{len(missing)} of {len(strata)}, such as '{shorten(missing[0])}'"
        )


def _text(fields: Mapping[str, Any], name: str, where: str) -> str:
    """Return a field without blanks around it; raise ``InputError`` if it is no text."""
    value = fields[name]
    if not isinstance(value, str):
        raise InputError(f"{where}: {name}: expected a text, found {describe(value)}")
    return value.strip()


def _number(fields: Mapping[str, Any], name: str, where: str) -> int:
    """Return a field as a number, which spreadsheets write as text; raise ``InputError`` if it is none."""
    value = str(fields[name]).strip()
    # Python refuses to read numbers of thousands of digits.
    is_whole_number = value.isascii() and value.isdigit() and len(value) <= 18
    if not is_whole_number or int(value) == 0:
        raise InputError(
            f"{where}: {name}: expected a whole number above 0, found '{shorten(value)}'"
        )
    return int(value)


def _check_fields(names: Sequence[str], where: str) -> None:
    """Raise ``InputError`` unless the fields that reading needs are there."""
    missing = [name for name in _NEEDED if name not in names]
    if missing:
        columns = shorten(", ".join(names)) or "none"
        raise InputError(
            f"{where}: expected the columns of a sheet by `claimstance sample`, found {columns}; "
            f"missing: {', '.join(missing)}"
        )


def _lines(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield where each row of a table is and its fields, unless it is empty."""

    def lines() -> Iterator[str]:
        for line in checked_lines(path, MAX_TEXT):
            if isinstance(line, InputError):
                raise InputError(f"{line}{encoding_hint(path)}")
            yield line

    def fits(names: Sequence[str]) -> bool:
        return GOLD in names and "unit" in names

    dialect = find_dialect(lines, ",", fits)
    ended = (line + "\n" for line in islice(lines(), dialect.skipped, None))
    rows = csv.reader(ended, delimiter=dialect.delimiter, quoting=dialect.quoting, strict=True)
    try:
        header = [name.strip() for name in next(rows, [])]
        _check_fields(header, str(path))
        for row in rows:
            where = f"{path}, line {rows.line_num + dialect.skipped}"
            if not any(cell.strip() for cell in row):
                continue
            if len(row) != len(header):
                raise InputError(f"{where}: expected {len(header)} columns, found {len(row)}")
            yield where, dict(zip(header, row, strict=True))
    except csv.Error as error:
        where = f"{path}, line {rows.line_num + dialect.skipped}"
        raise InputError(f"{where}: expected a row of a CSV file, {error}") from None


def _tasks(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield where each task is and its fields, once for each annotation of it."""
    try:
        with open_regular(path) as file:
            content = json.load(file)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: expected JSON, found text that is not JSON ({error})") from None
    if not isinstance(content, list):
        raise InputError(f"{path}: expected a list of tasks, found {describe(content)}")
    for number, task in enumerate(content, 1):
        where = f"{path}, task {number}"
        if not isinstance(task, dict):
            raise InputError(f"{where}: expected an object, found {describe(task)}")
        for fields in _annotated(task, where):
            _check_fields(list(fields), where)
            yield where, fields


def _annotated(task: Mapping[str, Any], where: str) -> Iterator[dict[str, Any]]:
    """Yield the fields of a task with the answer of each annotation; without an answer if it has none."""
    data = task.get("data")
    if data is None:  # JSON-MIN: the answer stands among the data
        yield {GOLD: "", **task}
        return
    if not isinstance(data, dict):
        raise InputError(f"{where}: data: expected an object, found {describe(data)}")
    # A row without an answer comes first in any case: it counts as drawn, also where nobody has coded it.
    yield {**data, GOLD: ""}
    for annotation in task.get("annotations") or ():
        gold = ""
        try:
            if not annotation.get("was_cancelled"):
                for result in annotation["result"]:
                    if result.get("from_name") == GOLD:
                        gold = str(result["value"]["choices"][0])
                        break
        except (AttributeError, KeyError, IndexError, TypeError):
            raise InputError(
                f"{where}: annotations: expected those of a Label Studio export, found "
                f"{describe(annotation)}"
            ) from None
        yield {**data, GOLD: gold}
