"""Which text of a brat folder belongs to which annotations, and who made them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from claimstance.model.errors import InputError
from claimstance.training.data.documents.json_validation import read_text


@dataclass(frozen=True)
class Pair:
    """A text, and one annotator's annotations of it.

    Attributes:
        name: of the text: its path below the folder, without suffix and without an annotator's folder.
        txt: the text.
        ann: the annotations.
        annotator: who made them; ``None`` if no name says so.
    """

    name: str
    txt: Path
    ann: Path
    annotator: str | None = None


def pairs(path: Path) -> tuple[list[Pair], list[Path]]:
    """All pairs of a folder with the folders in it, or those of one ``.txt`` or ``.ann`` file, in order.

    The second list has the texts without annotations, which nobody has opened.

    Raises:
        InputError: for an ``.ann`` file without a text, and if there is no ``.ann`` file at all.
    """
    if not path.is_dir():
        return _of_file(path), []
    files = sorted(path.rglob("*"))
    texts = {file.with_suffix("") for file in files if file.suffix == ".txt"}
    found = [pair_of(file, texts, path) for file in files if file.suffix == ".ann"]
    if not found:
        raise InputError(f"{path}: expected .ann files with their .txt, found none")
    bare = sorted(texts - {pair.txt.with_suffix("") for pair in found})
    return _with_folders(found, path), [text.with_suffix(".txt") for text in bare]


def _of_file(path: Path) -> list[Pair]:
    if path.suffix == ".ann":
        texts = {file.with_suffix("") for file in path.parent.glob("*.txt")}
        return [pair_of(path, texts, path.parent)]
    texts = {path.with_suffix("")}
    files = [path.with_suffix(".ann"), *sorted(path.parent.glob("*.ann"))]
    found = [
        pair_of(file, texts, path.parent)
        for file in dict.fromkeys(files)
        if file.exists() and (file.stem == path.stem or file.stem.startswith(f"{path.stem}_"))
    ]
    if not found:
        raise InputError(
            f"{path}: expected {path.with_suffix('.ann').name} beside it, found no such file"
        )
    return found


def pair_of(ann: Path, texts: set[Path], root: Path) -> Pair:
    """The pair of an ``.ann`` file: its text has its name, or the longest part of it before an underscore.

    Args:
        ann: the annotations.
        texts: the paths of all texts, without suffix.
        root: the folder below which names begin.

    Raises:
        InputError: if no text is its own.
    """
    stem, annotator = ann.stem, ""
    while stem:
        text = ann.with_name(stem)
        if text in texts:
            name = text.relative_to(root).as_posix()
            return Pair(name, ann.with_name(f"{stem}.txt"), ann, annotator or None)
        stem = stem.rpartition("_")[0]
        annotator = ann.stem[len(stem) + 1 :]
    raise InputError(
        f"{ann}: expected its text {ann.with_suffix('.txt').name} beside it, found no such file"
    )


def _with_folders(found: Sequence[Pair], root: Path) -> list[Pair]:
    """The pairs with the folder as annotator, where folders hold the same text under the same name."""
    places: dict[str, list[Pair]] = defaultdict(list)
    for pair in found:
        _, slash, rest = pair.name.partition("/")
        if slash and pair.annotator is None:
            places[rest].append(pair)
    same = {
        rest
        for rest, at in places.items()
        if len(at) > 1 and len({read_text(pair.txt) for pair in at}) == 1
    }
    people = {pair.name.partition("/")[0] for rest in same for pair in places[rest]}
    result = []
    for pair in found:
        folder, _, rest = pair.name.partition("/")
        if pair.annotator is None and folder in people:
            pair = replace(pair, annotator=folder, name=rest if rest in same else pair.name)
        result.append(pair)
    return result
