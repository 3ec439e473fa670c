"""Tagged articles as tasks for Label Studio, with what was read as predictions: the ones worth a person's time first.

Beside the tasks lies the labelling configuration that they are made for; ``claimstance.model.io.label_studio`` tells
how things are put, and ``claimstance build`` reads what people made of it.

An answer's certainty is its probability, stretched so that a guess among the labels of its task is 0 and a sure one is
1; of a span (an attribution, an entity), the guess is between there and not there. An article's, the score of its
prediction, is the mean over its tasks of the mean over the answers of each: a task with many answers counts like one
with few. Articles with the lowest score come first; what the model abstains from counts, too, since that is where it is
least certain.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryFile
from typing import IO, Any, TextIO

from claimstance.inference.results import Attribution, Sentence, Stance, TaggedArticle
from claimstance.inference.writers.text import Writer, open_output
from claimstance.model.io.label_studio import SENTENCE, TARGET, Results, labelling_config
from claimstance.model.labels import ROLES, SENTENCE_TASKS

CONFIG_SUFFIX = ".xml"
Pieces = tuple[tuple[int, int], ...]


@contextmanager
def open_tasks(
    out: Path | None, tasks: Sequence[str], labels: Mapping[str, Sequence[str]]
) -> Iterator[Writer]:
    """A writer of tasks, into a file (standard output if ``None``), sorted once all are there.

    Until then they wait in a temporary file; memory holds a score and a place for each. Beside a file, the labelling
    configuration for ``tasks`` and ``labels`` is written, under its name with ``.xml``.

    Raises:
        ClaimstanceError: if something cannot be written.
    """
    with open_output(out) as file, TemporaryFile() as spool:
        waiting = _Waiting(spool)
        yield waiting
        waiting.write_sorted(file)
    if out is not None:
        with open_output(out.with_suffix(CONFIG_SUFFIX)) as file:
            file.write(labelling_config(tasks, labels))


class _Waiting:
    """Tasks that wait in a file until all are there and can be sorted."""

    def __init__(self, spool: IO[bytes]) -> None:
        self._spool = spool
        self._places: list[tuple[float, int, int]] = []  # score, where the task starts, its length

    def write(self, article: TaggedArticle) -> None:
        """Keep the task of an article; one without a sentence leaves nothing to annotate."""
        if article.sentences:
            task = json.dumps(task_of(article), ensure_ascii=False).encode()
            self._places.append((certainty(article), self._spool.tell(), len(task)))
            self._spool.write(task)

    def write_sorted(self, file: TextIO) -> None:
        """Write all, the least certain first, as a JSON array with a task a line."""
        file.write("[")
        for number, (_, start, length) in enumerate(sorted(self._places)):
            self._spool.seek(start)
            file.write(("," if number else "") + "\n" + self._spool.read(length).decode())
        file.write("\n]\n")


def certainty(article: TaggedArticle) -> float:
    """How certain the model is of an article, 0 to 1: see the module's text; 1 if it gives no answer."""
    answers: dict[str, list[float]] = {}
    for sentence in article.sentences:
        for task, probability, choices in _answers(sentence):
            stretched = (probability - 1 / choices) / (1 - 1 / choices)
            answers.setdefault(task, []).append(max(0.0, stretched))
    return fmean(fmean(of_task) for of_task in answers.values()) if answers else 1.0


def _answers(sentence: Sentence) -> Iterator[tuple[str, float, int]]:
    """(task, probability, number of labels) of every answer in a sentence."""
    for task in SENTENCE_TASKS:
        if (label := getattr(sentence, task)) is not None:
            yield task, label.probability, len(label.probabilities)
    for attribution in sentence.attributions or ():
        yield "attribution", attribution.probability, 2
    for entity in sentence.entities or ():
        yield "entity", entity.probability, 2
    for stance in sentence.stances:
        yield "stance", stance.probability, len(stance.probabilities)


def task_of(article: TaggedArticle) -> dict[str, Any]:
    """An article as a task with a prediction."""
    model = article.model
    data = {
        "text": article.text,
        "id": article.doc_id,
        "title": article.title,
        "meta": article.meta,
    }
    return {
        "data": {key: value for key, value in data.items() if value},
        "predictions": [
            {
                "model_version": f"{model['name']} {model['version']} {model['sha256'][:12]}",
                "score": _rounded(certainty(article)),
                "result": _Suggestions(article).results.items,
            }
        ],
    }


class _Suggestions:
    """The results of a prediction. What several things are said of is one region, where the reader can tell them apart.

    Attributes:
        results: all of them.
    """

    def __init__(self, article: TaggedArticle) -> None:
        self.results = Results(article.text, "prediction")
        self._sources: dict[Pieces, str] = {}
        self._entities: dict[Pieces, str] = {}  # those that are no target yet
        self._targets: dict[tuple[Pieces, str], str] = {}
        for sentence in article.sentences:
            self._sentence(sentence)
        attributions = [a for sentence in article.sentences for a in sentence.attributions or ()]
        for attribution in sorted(attributions, key=_is_source_alone):
            self._attribution(attribution)
        for stance in article.stances:
            self._stance(stance, article.sentences[stance.sentence])

    def _sentence(self, sentence: Sentence) -> None:
        bounds = _bounds(sentence)
        region = self.results.region(SENTENCE, bounds)
        for task in SENTENCE_TASKS:
            if (label := getattr(sentence, task)) is not None:
                self.results.choice(task, label.label, region, bounds, _rounded(label.probability))
        for entity in sentence.entities or ():
            place = ((entity.start, entity.end),)
            self._entities[place] = self.results.region(
                entity.label, place, _rounded(entity.probability)
            )

    def _attribution(self, attribution: Attribution) -> None:
        spans = {
            role: span.pieces for role in ROLES if (span := getattr(attribution, role)) is not None
        }
        known = {} if _is_source_alone(attribution) else self._sources
        regions = {}
        for role, span in spans.items():
            shared = known.get(span) if role == "source" else None
            regions[role] = shared or self.results.region(
                role.capitalize(), span, _rounded(attribution.probability)
            )
        if "source" in spans:
            self._sources.setdefault(spans["source"], regions["source"])
        self.results.attribution(regions)

    def _stance(self, stance: Stance, sentence: Sentence) -> None:
        span = stance.target_span.pieces if stance.target_span else _bounds(sentence)
        target = self._target(stance, span)
        score = _rounded(stance.probability)
        if stance.holder_span is None:
            self.results.choice("stance", stance.label, target, span, score)
        else:
            self.results.relate(
                self._sources[stance.holder_span.pieces], target, stance.label, score
            )

    def _target(self, stance: Stance, span: Pieces) -> str:
        """The region of a target: an entity's, if it is one, else its own; over the whole sentence if not mentioned."""
        key = (span, stance.target)
        if key not in self._targets:
            entity = self._entities.pop(span, None) if stance.target_span else None
            self._targets[key] = entity or self.results.region(TARGET, span)
            if stance.target_span is None:
                self.results.name("target", stance.target, self._targets[key], span)
        return self._targets[key]


def _is_source_alone(attribution: Attribution) -> bool:
    """Whether nothing but a source was found; such a one shares its region with none, or it would be read as theirs."""
    return attribution.cue is None and attribution.content is None


def _bounds(sentence: Sentence) -> Pieces:
    return ((sentence.start, sentence.end),)


def _rounded(share: float) -> float:
    return round(share, 4)
