"""PolNeAR-Stance: where every named holder of a news article stands, on whom and on what.

Link: https://github.com/networkdynamics/PolNeAR for the text; the labels lie beside this file.
Licence: MIT for the labels; none stated for PolNeAR's text.
Citation: labels of this project, on the text of Newell, Margolin, Ruths (2018), LREC. A language model
wrote them by the rules of ``CODEBOOK.md``; ``README.md`` reports its agreement.

Labels: records are those of ``polnear`` (attributions, claims, entities) with two more layers:

- ``stances``: who is for or against whom or what. A holder or target is a span of the sentence where
  the sentence mentions it, else a name: the speaker of a quotation that runs on, or a topic of the
  article. Pairs that the annotation does not list are ``neutral``: each holder of a sentence (listed
  holders and PolNeAR's sources) towards each target and entity in it, and towards each topic.
- ``check_worthy``: ``yes`` for a factual statement that the public would want checked.

Traps handled: The annotators saw the text divided into other sentences than this project divides it into.
A stance goes to the sentence of its target, and a holder in another one becomes a name. Spans that reach
over the end of a sentence are cut.

Articles without labels keep ``None`` in both layers. The parts ``train`` and ``tune`` divide PolNeAR's
*train* by date, as ``polnear`` does; ``dev`` is PolNeAR's *dev* and the reported test.
"""

import bisect
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from claimstance.model.errors import InputError
from claimstance.model.record import Record, Span, Stance, read_lines
from claimstance.training.data.corpora import polnear
from claimstance.training.data.corpora.base import Corpus, OnDrop
from claimstance.training.data.documents.spans import clip

LABELS = Path(__file__).parent / "labels"
Offsets = tuple[int, int]


@dataclass(frozen=True)
class LabelledStance:
    """Represent a stance as annotated, with offsets into the article.

    Attributes:
        sentence: the sentence that expresses the stance, in the annotator's division of the text.
        holder: a span of that sentence, or the name of a speaker whom it does not mention.
        target: a span of that sentence, or one of the article's topics.
        label: ``favor`` or ``against``.
    """

    sentence: Offsets
    holder: Offsets | str
    target: Offsets | str
    label: str

    @property
    def anchor(self) -> int:
        """Return the position in the article that decides which of our sentences gets the stance."""
        for end in (self.target, self.holder):
            if not isinstance(end, str):
                return end[0]
        return self.sentence[0]


@dataclass(frozen=True)
class ArticleLabels:
    """Represent the labels of one article."""

    topics: list[str]
    check_worthy: list[Offsets]
    stances: list[LabelledStance]


def read(
    folder: Path,
    split: str,
    on_drop: OnDrop,
    silver: Path | None = None,
    neutral: bool = True,
    topics: bool = True,
    labels: Path | None = None,
) -> Iterator[Record]:
    """Yield the sentences of ``split``, article by article.

    Args:
        folder: a copy of PolNeAR's repository.
        split: ``train``, ``tune`` or ``dev``.
        on_drop: called for each stance whose holder or target no sentence contains.
        silver: a folder with machine-made entities (see ``polnear``); they are targets of neutral pairs.
        neutral: add the pairs that the annotation leaves out, as neutral.
        topics: keep stances on the article's topics, which a model reads in a pass of their own.
        labels: a folder with other labels in the same format; the ones beside this file if ``None``.

    Raises:
        InputError: naming the file and the line.
    """
    articles = read_labels((labels or LABELS) / f"{split}.jsonl")
    records = polnear.read(folder, split, on_drop, silver=silver)
    for doc_id, group in groupby(records, key=lambda record: record.doc_id):
        sentences = list(group)
        if doc_id in articles:
            labelled = articles[doc_id]
            if not topics:
                stances = [it for it in labelled.stances if not isinstance(it.target, str)]
                labelled = replace(labelled, topics=[], stances=stances)
            _add_labels(sentences, labelled, on_drop, neutral)
        for record in sentences:
            record.meta["corpus"] = CORPUS.name
        yield from sentences


def read_labels(path: Path) -> dict[str, ArticleLabels]:
    """Load article name → labels from a JSON Lines file.

    Raises:
        InputError: naming the file and the line.
    """
    articles = {}
    for number, line in enumerate(read_lines(path), 1):
        try:
            data = json.loads(line)
            stances = []
            for stance in data["stances"]:
                holder, target, label = stance["holder"], stance["target"], stance["label"]
                if label not in ("favor", "against"):
                    raise ValueError(label)
                if not isinstance(holder, str):
                    holder = _offsets(holder)
                if not isinstance(target, str):
                    target = _offsets(target)
                sentence = _offsets(stance["sentence"])
                stances.append(LabelledStance(sentence, holder, target, label))
            articles[str(data["doc"])] = ArticleLabels(
                topics=[str(topic) for topic in data["topics"]],
                check_worthy=[_offsets(pair) for pair in data["checkworthy"]],
                stances=stances,
            )
        except (ValueError, TypeError, KeyError) as error:
            raise InputError(
                f"{path}, line {number}: expected an object with 'doc', 'topics', 'checkworthy' "
                f"and 'stances', found {error!r}"
            ) from None
    return articles


def _offsets(pair: Any) -> Offsets:
    start, end = pair
    return int(start), int(end)


def _add_labels(
    records: list[Record], labels: ArticleLabels, on_drop: OnDrop, neutral: bool
) -> None:
    """Set ``stances`` and ``check_worthy`` of an article's sentences, in place."""
    starts = [record.start or 0 for record in records]
    check_worthy_starts = {start for start, _ in labels.check_worthy}
    for record in records:
        first = record.start or 0
        # An annotated sentence may run over several of ours: the one in which it begins is meant.
        contains = any(first <= start < first + len(record.text) for start in check_worthy_starts)
        record.check_worthy = "yes" if contains else "no"
        record.stances = []

    for labelled in labels.stances:
        record = records[max(0, bisect.bisect_right(starts, labelled.anchor) - 1)]
        target = _relative(labelled.target, record)
        if target is None:
            on_drop("no sentence contains the target")
            continue

        holder = _relative(labelled.holder, record)
        if holder is None and not isinstance(labelled.holder, str):
            # The annotator saw a longer sentence than ours: another one of ours names the holder.
            start, end = labelled.holder
            for other in records:
                first = other.start or 0
                if first <= start and end <= first + len(other.text):
                    holder = other.text[start - first : end - first]
                    break
        if holder is None:
            on_drop("no sentence contains the holder")
            continue

        stance = Stance(holder=holder, target=target, label=labelled.label)
        if record.stances is not None and stance not in record.stances:
            record.stances.append(stance)
    if neutral:
        for record in records:
            _add_neutral(record, labels.topics)


def _relative(end: Offsets | str, record: Record) -> Span | str | None:
    """Return a name as it is, offsets relative to the sentence, or ``None`` if they lie outside."""
    if isinstance(end, str):
        return end
    first = record.start or 0
    start, stop = end[0] - first, end[1] - first
    return clip([(start, stop)], 0, len(record.text), record.text)


def _add_neutral(record: Record, topics: list[str]) -> None:
    """Append a neutral stance for each pair that the annotation could have listed and did not."""
    listed = list(record.stances or ())
    holders: list[Span | str] = []
    listed_holders = [stance.holder for stance in listed]
    sources = [attribution.source for attribution in record.attributions or ()]
    for candidate in [*listed_holders, *sources]:
        if candidate is not None and not any(_overlap(candidate, other) for other in holders):
            holders.append(candidate)

    targets: list[Span | str] = []
    listed_targets = [stance.target for stance in listed]
    entities = [entity.span for entity in record.entities or ()]
    for target in [*listed_targets, *entities, *topics]:
        if not any(_overlap(target, other) for other in targets):
            targets.append(target)

    neutral = []
    for holder in holders:
        for target in targets:
            # A holder's stance on themselves, or on a part of their name, was not annotated.
            if _overlap(holder, target):
                continue
            is_listed = False
            for stance in listed:
                same_holder = stance.holder is not None and _overlap(holder, stance.holder)
                if same_holder and _overlap(target, stance.target):
                    is_listed = True
            if not is_listed:
                neutral.append(Stance(holder=holder, target=target, label="neutral"))
    if record.stances is not None:
        record.stances += neutral


def _overlap(one: Span | str, other: Span | str) -> bool:
    """Return whether two spans share a character, or two names are equal."""
    if isinstance(one, str) or isinstance(other, str):
        return one == other
    return any(start < stop and first < end for start, end in one for first, stop in other)


CORPUS = Corpus(
    name="polnear-stance",
    url="https://github.com/networkdynamics/PolNeAR",
    licence="MIT for the labels; none stated for PolNeAR's text",
    citation="labels of this project, on the text of Newell, Margolin, Ruths (2018), LREC",
    version="data/metadata.tsv 124cdb9e6d1c",
    splits=("train", "tune", "dev"),
    tasks=("attribution", "claim", "entity", "stance", "check_worthy"),
    label_mapping={"+": "favor", "-": "against", "not listed": "neutral"},
    reader=read,
    path_options=("silver", "labels"),
    folder="polnear",
)
