"""Tagging: an article in, claims, attributions, entities and stances out."""

import json
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from claimstance.inference.articles.article import Article, check_characters
from claimstance.inference.articles.corpus import plain_values
from claimstance.inference.articles.language import NOT_ENGLISH, is_foreign
from claimstance.inference.coreference.alignment import (
    Locator,
    Offsets,
    Places,
    References,
    grouped,
    named_by_sentence,
    resolve_article,
    targets_by_sentence,
)
from claimstance.inference.coreference.continuations import find_continuations
from claimstance.inference.coreference.people import unless_stopped
from claimstance.inference.coreference.resolver import refers_to
from claimstance.inference.python_input import (
    check_articles,
    check_targets,
    check_text,
    iterate_articles,
)
from claimstance.inference.result_cache import Copies
from claimstance.inference.results import (
    Attribution,
    Continuation,
    Entity,
    Label,
    Sentence,
    Span,
    Stance,
    TaggedArticle,
    group_sources,
    ranking,
)
from claimstance.model.errors import ClaimstanceError, InputError, ModelError
from claimstance.model.onnx.backend import load_reader, model_folder
from claimstance.model.prediction import Prediction, begin_document, predict
from claimstance.model.predictor import (
    AHEAD,
    Opened,
    Query,
    Reader,
    Reading,
    Stop,
    never,
    ranges_of_long_sentences,
)
from claimstance.model.record import Record, parse_record
from claimstance.model.text.entities import FoundEntity
from claimstance.model.text.layout import layout_of
from claimstance.model.text.sentences import split_sentences
from claimstance.model.windows import Located

T = TypeVar("T")


def _load_again(folder: Path | None, threads: int | None, sha256: str) -> "Tagger":
    """The tagger that was pickled as this."""
    tagger = Tagger.from_pretrained(folder, threads)
    if tagger.model["sha256"] != sha256:
        raise ModelError(
            f"{folder or 'the bundled model'}: expected the model with the sha256 {sha256[:12]}…, found "
            f"{tagger.model['sha256'][:12]}…: it was replaced meanwhile"
        )
    return tagger


@dataclass(frozen=True)
class _Open:
    """An article that is being read."""

    article: Article
    targets: list[str]
    bounds: list[Offsets]
    opened: Opened


class Tagger:
    """A trained model, ready to tag articles and to predict records.

    Pickled, it is the name of its model: another process loads that anew, and holds it to the same sha256.
    """

    def __init__(
        self, reader: Reader, sha256: str, source: tuple[Path | None, int | None] | None = None
    ) -> None:
        self._reader = reader
        self._source = source  # what it was loaded from, to be loaded again
        self._copies = Copies()
        self.model = {
            "name": reader.config.name,
            "version": reader.config.version,
            "sha256": sha256,
        }

    @classmethod
    def from_pretrained(
        cls, model: Path | str | None = None, threads: int | None = None
    ) -> "Tagger":
        """The bundled model, that of a folder, or one of the Hugging Face hub (``user/name``, ``user/name@revision``).

        Args:
            model: a folder or a name; the bundled model if ``None``.
            threads: how many windows are encoded at a time; as many as there are cores if ``None``.

        Raises:
            ModelError: naming the file of the model that is missing or altered, or why none could be fetched.
        """
        folder = None if model is None else model_folder(model)
        return cls(*load_reader(folder, threads), source=(folder and folder.resolve(), threads))

    def __reduce__(self) -> tuple[Any, ...]:
        if self._source is None:
            raise TypeError("a tagger that was not made by from_pretrained cannot be pickled")
        return _load_again, (*self._source, self.model["sha256"])

    @property
    def tasks(self) -> tuple[str, ...]:
        """What the model reads: of ``claimstance.model.labels.TASKS``."""
        return tuple(self._reader.config.tasks)

    @property
    def topics(self) -> tuple[str, ...]:
        """Return what stances are wanted on where no target is named: a topic that the model was trained on alone."""
        config = self._reader.config
        return () if "entity" in config.tasks else tuple(config.topics)

    @property
    def threads(self) -> int:
        """How many windows are encoded at a time."""
        return self._reader.workers

    @property
    def labels(self) -> dict[str, tuple[str, ...]]:
        """The label names of each task that the model has."""
        config = self._reader.config
        return {task: config.labels[task] for task in config.tasks if task in config.labels}

    def tag(
        self,
        text: str,
        targets: Sequence[str] | str = (),
        doc_id: str = "",
        title: str | None = None,
        meta: Mapping[str, Any] | None = None,
    ) -> TaggedArticle:
        """Tag an article.

        Args:
            text: the article; what its offsets refer to.
            targets: whom or what stances are wanted on; the entities of each sentence if none are given.
            doc_id: carried into the result.
            title: likewise.
            meta: likewise: what else is known of it (date, outlet, url …), as JSON has it.

        Raises:
            InputError: if a target is blank, or a text cannot be encoded (half of a surrogate pair).
            TypeError: if ``text`` is none, saying what to pass.
        """
        text = check_text(text)
        return self.begin(
            Article(doc_id, text, title, meta=plain_values(meta or {}, "meta")), targets
        )()

    def tag_all(
        self,
        articles: Iterable[Article | ClaimstanceError | str | None],
        targets: Sequence[str] | str = (),
        stop: Stop = never,
    ) -> Iterator["TaggedArticle | ClaimstanceError"]:
        """Tag one article after the other, in order: faster than ``tag`` for each, with the same results.

        The encoder reads the next articles while results of one are put together. An error among ``articles`` (of
        one that could not be read) comes out in its place. Texts may stand for articles, as in a column of a data
        frame: their ids are its labels, or their places. A missing one (``None``, NaN) comes out as an article without
        a sentence, with a warning that names its row.

        Raises:
            InputError: as ``tag``.
            StoppedError: once ``stop`` says that no more is wanted.
            TypeError: if ``articles`` are none, saying what to pass.
        """
        targets = self._checked(targets)
        given = iterate_articles(check_articles(articles))
        return self.ahead(self._begun(article, targets, stop) for article in given)

    def tag_many(
        self, texts: Iterable[str | Article | None], targets: Sequence[str] | str = ()
    ) -> list[TaggedArticle]:
        """Tag several texts: a list, or a column of a data frame. Returns an article for each, in order.

        As ``tag_all``, which gives one result after the other and suits what does not fit in memory.

        Raises:
            InputError: as ``tag``.
            TypeError: if ``texts`` are none, saying what to pass.
        """
        results = []
        for tagged in self.tag_all(texts, targets):
            if isinstance(tagged, ClaimstanceError):
                raise tagged
            results.append(tagged)
        return results

    def _begun(
        self, one: Article | ClaimstanceError, targets: list[str], stop: Stop
    ) -> Callable[[], TaggedArticle | ClaimstanceError]:
        return (
            (lambda: one) if isinstance(one, ClaimstanceError) else self.begin(one, targets, stop)
        )

    def begin(
        self, article: Article, targets: Sequence[str] | str = (), stop: Stop = never
    ) -> Callable[[], TaggedArticle]:
        """Begin to tag an article; what it gives, called, waits for the result. See ``ahead``.

        Raises:
            InputError: as ``tag``.
            StoppedError: from what it gives, once ``stop`` says that the article is wanted no more.
        """
        targets = self._checked(targets)
        check_characters("the text", article.text)
        if (known := self._copies.get(article.text, targets)) is not None:
            return partial(known.of, article)
        return partial(self._finish, self._open(article, targets, stop))

    def begin_records(
        self, records: Sequence[Record], stop: Stop = never
    ) -> Callable[[], list[dict[str, Any]]]:
        """Begin to predict the records of one document, or one of none, as ``begin`` does an article."""
        pending = begin_document(self._reader, records, Locator(), stop)
        return lambda: [self._row(*both) for both in zip(records, pending.result(), strict=True)]

    def ahead(self, begun: Iterable[Callable[[], T]], count: int = AHEAD) -> Iterator[T]:
        """What each of ``begun`` gives, in order, so many a thread begun ahead: work for all the encoder's threads."""
        return self._reader.ahead(begun, count)

    @staticmethod
    def _checked(targets: Sequence[str] | str) -> list[str]:
        names = check_targets(targets)
        if not all(name.strip() for name in names):
            raise InputError("targets: expected names or topics, found a blank one")
        check_characters("targets", *names)
        return names

    def _open(self, article: Article, targets: list[str], stop: Stop) -> _Open:
        bounds = split_sentences(article.text)
        texts = [article.text[start:end] for start, end in bounds]
        opened = self._reader.open(texts, stop, layout_of(article.text, bounds))
        return _Open(article, targets, bounds, opened)

    def _finish(self, one: _Open) -> TaggedArticle:
        text, targets, bounds = one.article.text, one.targets, one.bounds
        reading = self._reader.finish(one.opened)
        places = Places(text, bounds)
        references = resolve_article(places, reading)
        attributions = [
            places.attribution(found, references) for found in reading.attributions or ()
        ]
        tasks = self._reader.config.tasks
        asks = "stance" in tasks
        stances = self._stances(reading, places, attributions, references, targets) if asks else []
        by_sentence = zip(
            grouped(attributions, len(bounds)),
            grouped(
                ((entity.place.sentence, entity) for entity in reading.entities or ()), len(bounds)
            ),
            grouped(((stance.sentence, stance) for stance in stances), len(bounds)),
            grouped(find_continuations(text, bounds, attributions), len(bounds)),
            strict=True,
        )
        sentences = [
            self._sentence(i, reading, places, *found) for i, found in enumerate(by_sentence)
        ]
        warnings = list(dict.fromkeys(reading.warnings))
        if targets and not asks:
            warnings.append(
                f"the model reads no stances ({', '.join(tasks)} alone): nothing is said of the targets"
            )
        if asks and not targets and "entity" not in tasks and not self.topics:
            warnings.append(
                "no target was named, and the model finds no entities of its own: no stance is given"
            )
        if not bounds:
            warnings.append("the article has no sentence: nothing read")
        if is_foreign(text):
            warnings.append(NOT_ENGLISH)
        tagged = TaggedArticle(
            "", None, text, self.model, sentences, group_sources(sentences), warnings
        )
        self._copies.keep(tagged, targets)
        return tagged.of(one.article)

    def predict(self, records: Iterable[Record | dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """The records, in order, as plain values with ``predicted`` added (see the contract of the command)."""
        parsed = [
            record if isinstance(record, Record) else parse_record(record, f"records[{number}]")
            for number, record in enumerate(records)
        ]
        for record, prediction in zip(
            parsed, predict(self._reader, parsed, Locator()), strict=True
        ):
            yield self._row(record, prediction)

    def _row(self, record: Record, prediction: Prediction) -> dict[str, Any]:
        plain: dict[str, Any] = json.loads(record.to_json())
        return {**plain, "predicted": self._predicted(plain["stances"] or [], prediction)}

    def _sentence(
        self,
        index: int,
        reading: Reading,
        places: Places,
        attributions: list[Attribution],
        entities: Sequence[FoundEntity],
        stances: list[Stance],
        continued: list[Continuation],
    ) -> Sentence:
        start, end = places.bounds[index]
        labels = {
            task: self._label(task, self._by_label(task, rows[index]))
            for task, rows in reading.probabilities.items()
        }
        return Sentence(
            index,
            start,
            end,
            places.text[start:end],
            **labels,
            attributions=None if reading.attributions is None else attributions,
            entities=None
            if reading.entities is None
            else [
                Entity(
                    *places.offsets(e.place),
                    places.text[slice(*places.offsets(e.place))],
                    e.label,
                    e.probability,
                )
                for e in entities
            ],
            stances=stances,
            continued=None if reading.attributions is None else continued,
        )

    def _by_label(self, task: str, row: Iterable[float]) -> dict[str, float]:
        return dict(zip(self._reader.config.labels[task], map(float, row), strict=True))

    def _label(self, kind: str, probabilities: dict[str, float]) -> Label:
        label = self._reader.config.decide(kind, probabilities)
        return Label(label, probabilities[label], probabilities)

    def _stances(
        self,
        reading: Reading,
        places: Places,
        attributions: Sequence[tuple[int, Attribution]],
        references: References,
        targets: Sequence[str],
    ) -> list[Stance]:
        asked: list[tuple[Query, Span | None, str]] = []
        spans = dict.fromkeys(
            attribution.source for _, attribution in attributions if attribution.source
        )
        sources = grouped(
            ((places.sentence_at(span.start), span) for span in spans), len(reading.texts)
        )
        topics = () if targets else self.topics
        mentioned = targets_by_sentence(targets, reading, named_by_sentence(places, references))
        long_sentences = ranges_of_long_sentences(reading)
        if topics:
            # A topic is asked about in every sentence, also one that is written like a name.
            mentioned = [[(topic, None) for topic in topics]] * len(reading.texts)
        by_sentence = unless_stopped(zip(sources, mentioned, strict=True), reading.stop)
        for index, (holders, found) in enumerate(by_sentence):
            offsets = [places.relative(index, holder) for holder in holders]
            within_reach = _holders_in_reach(holders, offsets, long_sentences.get(index))
            for name, mention in found:
                # Nobody is asked about himself.
                near = within_reach(mention)
                others = [one for one in near if not refers_to(name, one.name or one.text)]
                for holder in (*others, None):
                    span = places.relative(index, holder) if holder else None
                    if (
                        span is None
                        or mention is None
                        or span[1] <= mention[0]
                        or mention[1] <= span[0]
                    ):
                        asked.append((Query(index, span, mention or name), holder, name))
        rows = self._reader.stances(reading, [query for query, _, _ in asked])
        stances = []
        for (query, holder, name), row in zip(asked, rows, strict=True):
            label = self._label(query.kind, self._by_label("stance", row))
            there = (
                None
                if isinstance(query.target, str)
                else places.span([Located(query.sentence, *query.target)])
            )
            stances.append(
                Stance(
                    holder=(holder.name or holder.text) if holder else None,
                    target=name,
                    label=label.label,
                    probability=label.probability,
                    probabilities=label.probabilities,
                    sentence=query.sentence,
                    holder_span=holder,
                    target_span=there,
                    abstained=self._abstains(query.kind, label),
                )
            )
        return stances

    def _abstains(self, kind: str, label: Label) -> bool:
        return not self._reader.config.gives(kind, label.label, label.probability)

    def _predicted(self, pairs: Sequence[dict[str, Any]], prediction: Prediction) -> dict[str, Any]:
        predicted: dict[str, Any] = {}
        for task in ("claim", "subjective"):
            if (probabilities := getattr(prediction, task)) is not None:
                predicted[task] = asdict(self._label(task, probabilities))
        if prediction.check_worthy is not None:
            predicted["check_worthy"] = {
                "probability": ranking(prediction.check_worthy),
                "probabilities": prediction.check_worthy,
            }
        if prediction.attributions is not None:
            predicted["attributions"] = [
                {
                    **attribution.model_dump(
                        mode="json", exclude=None if attribution.event else {"event"}
                    ),
                    "probability": probability,
                }
                for attribution, probability in prediction.attributions
            ]
        if prediction.entities is not None:
            predicted["entities"] = [
                {
                    "span": [[e.place.start, e.place.end]],
                    "label": e.label,
                    "probability": e.probability,
                }
                for e in prediction.entities
            ]
        if "stance" in self._reader.config.tasks:
            said = [
                self._label(*each)
                for each in zip(prediction.kinds, prediction.stances, strict=True)
            ]
            predicted["stances"] = [
                {
                    "holder": pair["holder"],
                    "target": pair["target"],
                    **asdict(label),
                    "abstained": self._abstains(kind, label),
                }
                for pair, kind, label in zip(pairs, prediction.kinds, said, strict=True)
            ]
        return predicted


def _holders_in_reach(
    holders: Sequence[Span],
    offsets: Sequence[Offsets],
    ranges: Sequence[Offsets] | None,
) -> Callable[[Offsets | None], Sequence[Span]]:
    """Return what gives the holders that the model can see together with a target.

    In a sentence that is read in pieces these are the holders of the target's piece, and of the first one for a target
    that is not mentioned. All pairs of such a sentence would be more than memory has room for.

    Args:
        holders: of a sentence.
        offsets: where in the sentence each of them is.
        ranges: the pieces of the sentence, if there are several.
    """
    if ranges is None:
        return lambda _: holders
    starts = [start for start, _ in ranges]

    def piece_at(place: int) -> int:
        return max(bisect_right(starts, place) - 1, 0)

    by_piece: dict[int, list[Span]] = {}
    for holder, (start, end) in zip(holders, offsets, strict=True):
        for piece in range(piece_at(start), piece_at(end - 1) + 1):
            by_piece.setdefault(piece, []).append(holder)
    return lambda mention: by_piece.get(0 if mention is None else piece_at(mention[0]), ())
