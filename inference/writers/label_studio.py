"""Tagged articles as tasks for Label Studio, with predictions: the articles most worth annotating first.

The labelling configuration for the tasks is written beside them. ``claimstance.model.io.label_studio``
describes the format, and ``claimstance build`` reads the annotations that people make from the tasks.

The certainty of a prediction is its probability, rescaled so that a guess among the labels of its task
is 0 and a sure prediction is 1. For a span (an attribution, an entity) the labels are "present" and
"absent". The certainty of an article is the mean over its tasks of the mean over the predictions of each
task, so that a task with many predictions does not dominate. Articles with the lowest certainty come
first. Abstained predictions count, too, since the model is least certain of them.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryFile
from typing import IO, Any, TextIO

from claimstance.inference.results import Sentence, Stance, TaggedArticle
from claimstance.inference.writers.text import Writer, open_output
from claimstance.model.article.spans import Attribution
from claimstance.model.io.label_studio import HOLDER, SENTENCE, TARGET, Results, labelling_config
from claimstance.model.labels import ROLES, SENTENCE_TASKS

CONFIG_SUFFIX = ".xml"
#: The pieces of a span, as (start, end).
Pieces = tuple[tuple[int, int], ...]


@contextmanager
def open_tasks(
    out: Path | None, tasks: Sequence[str], labels: Mapping[str, Sequence[str]]
) -> Iterator[Writer]:
    """Open a writer that sorts the tasks at the end, when all articles are known.

    Until then a temporary file stores them, so that memory holds only a certainty and an offset for each.
    The labelling configuration gets the name of the file, with the suffix ``.xml``.

    Args:
        out: the file; ``None`` for standard output, without a labelling configuration.
        tasks: the tasks of the model.
        labels: the label names of each task.

    Raises:
        ClaimstanceError: if a file cannot be written.
    """
    with open_output(out) as file, TemporaryFile() as temporary:
        sorter = _TaskSorter(temporary)
        yield sorter
        sorter.write_sorted(file)
    if out is not None:
        with open_output(out.with_suffix(CONFIG_SUFFIX)) as file:
            file.write(labelling_config(tasks, labels))


class _TaskSorter:
    """Store tasks in a file, and write them sorted by certainty."""

    def __init__(self, temporary: IO[bytes]) -> None:
        self._temporary = temporary
        self._entries: list[tuple[float, int, int]] = []  # (certainty, offset, length) of each task

    def write(self, article: TaggedArticle) -> None:
        """Store the task of an article, unless it has no sentence to annotate."""
        if article.sentences:
            task = json.dumps(task_json(article), ensure_ascii=False).encode()
            self._entries.append((certainty(article), self._temporary.tell(), len(task)))
            self._temporary.write(task)

    def write_sorted(self, file: TextIO) -> None:
        """Write the least certain tasks first, as a JSON array with one task per line."""
        file.write("[")
        separator = "\n"
        for _, offset, length in sorted(self._entries):
            self._temporary.seek(offset)
            file.write(separator + self._temporary.read(length).decode())
            separator = ",\n"
        file.write("\n]\n")


def certainty(article: TaggedArticle) -> float:
    """Return the certainty of an article, 0 to 1, as the module describes; 1 without predictions."""
    by_task: dict[str, list[float]] = defaultdict(list)
    for sentence in article.sentences:
        for task, probability, labels in _predictions(sentence):
            rescaled = (probability - 1 / labels) / (1 - 1 / labels)
            # A span can be predicted although "absent" is likelier: that is no surer than a guess.
            by_task[task].append(max(0.0, rescaled))
    if not by_task:
        return 1.0
    # The mean of each task first, so that a task with many predictions does not dominate.
    return fmean(map(fmean, by_task.values()))


def _predictions(sentence: Sentence) -> Iterator[tuple[str, float, int]]:
    """Yield (task, probability, number of labels) of every prediction in a sentence."""
    for task in SENTENCE_TASKS:
        label = getattr(sentence, task)
        if label is not None:
            yield task, label.probability, len(label.probabilities)
    for attribution in sentence.attributions or ():
        yield "attribution", attribution.probability, 2
    for entity in sentence.entities or ():
        yield "entity", entity.probability, 2
    for stance in sentence.stances:
        yield "stance", stance.probability, len(stance.probabilities)


def task_json(article: TaggedArticle) -> dict[str, Any]:
    """Return an article as a task with a prediction, as JSON values."""
    fields = {
        "text": article.text,
        "id": article.doc_id,
        "title": article.title,
        "meta": article.meta,
    }
    model = article.model
    prediction = {
        "model_version": f"{model['name']} {model['version']} {model['sha256'][:12]}",
        "score": _rounded(certainty(article)),
        "result": _PredictionBuilder(article).results.items,
    }
    data = {key: value for key, value in fields.items() if value}
    return {"data": data, "predictions": [prediction]}


class _PredictionBuilder:
    """Build the results of a prediction.

    Spans with several results share one region, unless that would make the results ambiguous.

    Attributes:
        results: the results.
    """

    def __init__(self, article: TaggedArticle) -> None:
        self.results = Results(article.text, "prediction")
        self._sources: dict[Pieces, str] = {}
        self._holders: dict[Pieces, str] = {}  # regions of holders that are no source
        self._entities: dict[Pieces, str] = {}  # regions of entities that are not a target yet
        self._targets: dict[tuple[Pieces, str], str] = {}
        attributions: list[Attribution] = []
        for sentence in article.sentences:
            self._add_sentence(sentence)
            attributions += sentence.attributions or ()
        # Sources that stand alone come last, so that no other attribution shares their regions.
        for attribution in sorted(attributions, key=_is_source_alone):
            self._add_attribution(attribution)
        for stance in article.stances:
            self._add_stance(stance, article.sentences[stance.sentence])

    def _add_sentence(self, sentence: Sentence) -> None:
        """Add a region for the sentence, its labels, and regions for its entities."""
        bounds = _bounds(sentence)
        region = self.results.region(SENTENCE, bounds)
        for task in SENTENCE_TASKS:
            label = getattr(sentence, task)
            if label is not None:
                self.results.choice(task, label.label, region, bounds, _rounded(label.probability))
        for entity in sentence.entities or ():
            span = ((entity.start, entity.end),)
            score = _rounded(entity.probability)
            self._entities[span] = self.results.region(entity.label, span, score)

    def _add_attribution(self, attribution: Attribution) -> None:
        """Add regions for the roles of an attribution; a source shares that of an equal source."""
        score = _rounded(attribution.probability)
        regions = {}
        for role in ROLES:
            span = getattr(attribution, role)
            if span is None:
                continue
            region = None
            if role == "source" and not _is_source_alone(attribution):
                region = self._sources.get(span.pieces)
            if region is None:
                region = self.results.region(role.capitalize(), span.pieces, score)
            if role == "source":
                # Remembered for later attributions, and for the stances of this source.
                self._sources.setdefault(span.pieces, region)
            regions[role] = region
        self.results.attribution(regions)

    def _add_stance(self, stance: Stance, sentence: Sentence) -> None:
        """Add a relation from holder to target, or a choice for the target if the sentence has no holder.

        A holder of another sentence, such as the speaker of a quotation that runs on, is given by name:
        a relation between two sentences would belong to neither.
        """
        span = stance.target_span.pieces if stance.target_span else _bounds(sentence)
        score = _rounded(stance.probability)
        holder = stance.holder_span
        is_in_sentence = (
            holder is not None and sentence.start <= holder.start and holder.end <= sentence.end
        )
        if stance.holder is not None and not is_in_sentence:
            target = self.results.region(TARGET, span)
            if stance.target_span is None:
                self.results.name("target", stance.target, target, span)
            self.results.name("holder", stance.holder, target, span)
            self.results.choice("stance", stance.label, target, span, score)
            return

        target = self._target_region(stance, span)
        if holder is None:
            self.results.choice("stance", stance.label, target, span, score)
            return
        region = self._sources.get(holder.pieces) or self._holders.get(holder.pieces)
        if region is None:
            region = self.results.region(HOLDER, holder.pieces)
            self._holders[holder.pieces] = region
        self.results.relate(region, target, stance.label, score)

    def _target_region(self, stance: Stance, span: Pieces) -> str:
        """Return the region of a target: that of an entity if it is one, else a new one.

        A target that the sentence does not mention is a region over the whole sentence, with its name.
        """
        key = (span, stance.target)
        if key in self._targets:
            return self._targets[key]
        if stance.target_span is None:
            region = self.results.region(TARGET, span)
            self.results.name("target", stance.target, region, span)
        else:
            # The region of an entity becomes that of one target only: a second one gets its own.
            entity = self._entities.pop(span, None)
            region = entity or self.results.region(TARGET, span)
        self._targets[key] = region
        return region


def _is_source_alone(attribution: Attribution) -> bool:
    """Return whether an attribution is only a source.

    Such a source has its own region: in a shared one it would be read as part of another attribution.
    """
    return attribution.cue is None and attribution.content is None


def _bounds(sentence: Sentence) -> Pieces:
    """Return a whole sentence as a span of one piece."""
    return ((sentence.start, sentence.end),)


def _rounded(probability: float) -> float:
    """Return a probability with as many digits as all outputs have."""
    return round(probability, 4)
