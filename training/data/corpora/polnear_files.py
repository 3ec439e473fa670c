"""The files of PolNeAR's repository: annotations, article by article, with the table of metadata.

Machine-made ("silver") entities of the articles come from files beside the repository.
"""

import datetime
import json
from collections import defaultdict
from pathlib import Path

from claimstance.model.errors import InputError
from claimstance.model.record import read_lines
from claimstance.training.data.corpora.base import read_tsv

TUNE_DAYS = 30  # at the end of the official train
_METADATA = {"publisher": "outlet", "publication_date": "date", "title": "title"}


def find_annotations(folder: Path, split: str) -> dict[str, list[Path]]:
    """Return article → its ``.ann`` files, both in order, for the articles of a split."""
    if not folder.is_dir():
        raise InputError(f"{folder}: expected PolNeAR's annotations, found no such folder")
    paths: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.glob("*.ann")):
        # The names are ARTICLE_ANNOTATOR.ann.
        paths[path.stem.rpartition("_")[0]].append(path)
    if split == "dev" or not paths:
        return paths

    days = {}
    for stem in paths:
        try:
            days[stem] = datetime.date.fromisoformat(stem.split("_")[1])
        except (IndexError, ValueError):
            raise InputError(f"{stem}: expected a name like OUTLET_2016-01-31_TITLE") from None
    # Choices must be made on a later time than the one trained on, as in the official dev.
    last_train_day = max(days.values()) - datetime.timedelta(days=TUNE_DAYS)
    is_tune = split == "tune"
    return {stem: paths[stem] for stem in paths if (days[stem] > last_train_day) == is_tune}


def read_metadata(path: Path) -> dict[str, dict[str, str]]:
    """Return article → its outlet, date and title, as far as the table has them."""
    if not path.exists():
        return {}
    # The last cells of a row may be missing, so that any number of columns is valid.
    rows = (row for _, row in read_tsv(path, tuple(range(1, 100)), quoting=False))
    header = next(rows, [])
    missing = {"filename", *_METADATA} - set(header)
    if missing:
        raise InputError(f"{path}: expected a column {min(missing)}, found {', '.join(header)}")
    metadata = {}
    for row in rows:
        cells = dict(zip(header, row, strict=False))
        fields = {name: cells[column] for column, name in _METADATA.items() if cells.get(column)}
        metadata[cells["filename"]] = fields
    return metadata


def read_silver(path: Path) -> dict[str, list[tuple[int, int, str]]]:
    """Return article → start, end and label of its machine-made entities."""
    articles = {}
    for number, line in enumerate(read_lines(path), 1):
        try:
            data = json.loads(line)
            articles[data["doc"]] = [
                (int(start), int(end), str(label)) for start, end, label in data["entities"]
            ]
        except (ValueError, TypeError, KeyError):
            raise InputError(
                f"{path}, line {number}: expected an object with 'doc' and 'entities'"
            ) from None
    return articles
