"""The files of a brat folder: each annotation file with its text and its annotator."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from claimstance.model.errors import InputError
from claimstance.training.data.documents.json_validation import read_text


@dataclass(frozen=True)
class AnnotatedText:
    """Represent a text with the annotations of one annotator.

    Attributes:
        name: the name of the text: its path below the folder, without suffix and without an annotator's folder.
        txt: the file with the text.
        ann: the file with the annotations.
        annotator: the annotator; ``None`` if no name of a file or a folder says it.
    """

    name: str
    txt: Path
    ann: Path
    annotator: str | None = None


def find_texts(path: Path) -> tuple[list[AnnotatedText], list[Path]]:
    """Find the annotated texts of a folder and all folders in it, or of one ``.txt`` or ``.ann`` file.

    Returns:
        The texts with their annotations, in order; and the texts without annotations.

    Raises:
        InputError: for an ``.ann`` file without a text, and if there is no ``.ann`` file at all.
    """
    if path.suffix == ".ann" and not path.is_dir():
        stems = {file.with_suffix("") for file in path.parent.glob("*.txt")}
        return [match_text(path, stems, path.parent)], []

    if not path.is_dir():
        # A text may have an .ann of its own name, and one for each annotator.
        texts = []
        for file in dict.fromkeys([path.with_suffix(".ann"), *sorted(path.parent.glob("*.ann"))]):
            has_name = file.stem == path.stem or file.stem.startswith(f"{path.stem}_")
            if has_name and file.exists():
                texts.append(match_text(file, {path.with_suffix("")}, path.parent))
        if not texts:
            raise InputError(
                f"{path}: expected {path.with_suffix('.ann').name} beside it, found no such file"
            )
        return texts, []

    files = sorted(path.rglob("*"))
    stems = {file.with_suffix("") for file in files if file.suffix == ".txt"}
    texts = [match_text(file, stems, path) for file in files if file.suffix == ".ann"]
    if not texts:
        raise InputError(f"{path}: expected .ann files with their .txt, found none")
    unannotated = sorted(stems - {text.txt.with_suffix("") for text in texts})
    return _use_annotator_folders(texts), [stem.with_suffix(".txt") for stem in unannotated]


def match_text(ann: Path, stems: set[Path], root: Path) -> AnnotatedText:
    """Return the text of an ``.ann`` file: the one with its name, or with the longest beginning of it.

    A beginning ends before an underscore, and the rest is the annotator.

    Args:
        ann: the annotations.
        stems: the paths of all texts, without suffix.
        root: the folder below which names begin.

    Raises:
        InputError: if no text belongs to the file.
    """
    stem, annotator = ann.stem, ""
    while stem:
        path = ann.with_name(stem)
        if path in stems:
            name = path.relative_to(root).as_posix()
            return AnnotatedText(name, ann.with_name(f"{stem}.txt"), ann, annotator or None)
        stem = stem.rpartition("_")[0]
        annotator = ann.stem[len(stem) + 1 :]
    raise InputError(
        f"{ann}: expected its text {ann.with_suffix('.txt').name} beside it, found no such file"
    )


def _use_annotator_folders(texts: Sequence[AnnotatedText]) -> list[AnnotatedText]:
    """Return the texts, with their folder as annotator if folders have the same text under one name."""
    by_name: dict[str, list[AnnotatedText]] = defaultdict(list)  # name without the first folder
    for text in texts:
        _, slash, name = text.name.partition("/")
        if slash and text.annotator is None:
            by_name[name].append(text)

    annotators: set[str] = set()
    shared_names = set()
    for name, copies in by_name.items():
        # Folders may hold different texts under one name, such as years with monthly files.
        if len(copies) > 1 and len({read_text(text.txt) for text in copies}) == 1:
            shared_names.add(name)
            annotators.update(text.name.partition("/")[0] for text in copies)

    result = []
    for text in texts:
        folder, _, name = text.name.partition("/")
        if text.annotator is None and folder in annotators:
            # A text that only one annotator has keeps the folder in its name.
            name = name if name in shared_names else text.name
            text = replace(text, annotator=folder, name=name)
        result.append(text)
    return result
