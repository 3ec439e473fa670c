"""Tagger: an article in; its claims, attributions, entities and stances out."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from claimstance.inference.article_warnings import article_warnings
from claimstance.inference.articles.article import Article, check_characters
from claimstance.inference.articles.corpus import plain_values
from claimstance.inference.grouping import group_sources
from claimstance.inference.predicted_records import label_of, predicted_record
from claimstance.inference.python_input import (
    check_articles,
    check_targets,
    check_text,
    iterate_articles,
)
from claimstance.inference.result_cache import ResultCache
from claimstance.inference.results import (
    ResultItem,
    Sentence,
    Stance,
    TaggedArticle,
)
from claimstance.inference.stances import find_stances
from claimstance.model.article.alignment import AlignedArticle, align_article, group_by_sentence
from claimstance.model.article.record_prediction import (
    MentionFinder,
    begin_document,
    by_label,
    predict,
)
from claimstance.model.encoding import (
    PendingDocument,
    ShouldCancel,
    never_cancel,
)
from claimstance.model.errors import ClaimstanceError, ConfigError, ModelError
from claimstance.model.onnx.backend import load_predictor, model_folder
from claimstance.model.predictor import PREFETCH_PER_WORKER, Predictor
from claimstance.model.record import Record, parse_record
from claimstance.model.text.layout import layout_of
from claimstance.model.text.offsets import Offsets
from claimstance.model.text.sentences import split_sentences

T = TypeVar("T")


class Tagger:
    """A trained model that tags articles and predicts records.

    A pickled tagger holds the folder of its model, not the weights: the process that unpickles it
    loads the model again and checks that its sha256 is the same.
    """

    def __init__(
        self,
        predictor: Predictor,
        sha256: str,
        load_arguments: tuple[Path | None, int | None, float | None] | None = None,
    ) -> None:
        self._predictor = predictor
        # The arguments of from_pretrained, with which a pickle is loaded again.
        self._load_arguments = load_arguments
        self._cache = ResultCache()
        self.model = {
            "name": predictor.config.name,
            "version": predictor.config.version,
            "sha256": sha256,
        }

    @classmethod
    def from_pretrained(
        cls,
        model: Path | str | None = None,
        threads: int | None = None,
        min_confidence: float | None = None,
    ) -> "Tagger":
        """Load a bundled model, one from a folder, or one from the Hugging Face hub.

        Args:
            model: ``base``, the more accurate bundled model, or ``small``, the faster one; a folder; or a
                name on the hub (``user/name``, ``user/name@revision``). ``base`` if ``None``.
            threads: the number of windows encoded at a time; the number of cores if ``None``.
            min_confidence: the probability, from 0 to 1, below which a stance is marked as abstained; if
                ``None``, the model's own limits, from which four of five stances were right on dev.

        Raises:
            ConfigError: if ``min_confidence`` is not between 0 and 1.
            ModelError: if a file of the model is missing or altered (the error names it), or if the
                model cannot be downloaded.
        """
        folder = model_folder(model)
        predictor, sha256 = load_predictor(folder, threads)
        if min_confidence is not None:
            if not 0 <= min_confidence <= 1:
                raise ConfigError(
                    f"min_confidence: expected a number from 0 to 1, found {min_confidence}"
                )
            predictor.config = predictor.config.with_stance_limit(min_confidence)
        load_arguments = (folder.resolve(), threads, min_confidence)
        return cls(predictor, sha256, load_arguments)

    def __reduce__(self) -> tuple[Any, ...]:
        if self._load_arguments is None:
            raise TypeError("a tagger that was not made by from_pretrained cannot be pickled")
        return _unpickle, (*self._load_arguments, self.model["sha256"])

    @property
    def tasks(self) -> tuple[str, ...]:
        """Return the tasks of the model, a subset of ``claimstance.model.labels.TASKS``."""
        return tuple(self._predictor.config.tasks)

    @property
    def topics(self) -> tuple[str, ...]:
        """Return the default targets of a model without entities: the topics that it was trained on."""
        config = self._predictor.config
        return () if "entity" in config.tasks else tuple(config.topics)

    @property
    def threads(self) -> int:
        """Return the number of windows that are encoded at a time."""
        return self._predictor.workers

    @property
    def labels(self) -> dict[str, tuple[str, ...]]:
        """Return the label names of each task of the model."""
        config = self._predictor.config
        return {task: config.labels[task] for task in config.tasks if task in config.labels}

    def tag(
        self,
        text: str,
        targets: Sequence[str] | str = (),
        doc_id: str = "",
        title: str | None = None,
        meta: Mapping[str, Any] | None = None,
        neutral: bool = False,
    ) -> TaggedArticle:
        """Tag an article.

        Args:
            text: the article; the offsets of the result refer to it.
            targets: names or topics to score stances on; the entities of each sentence if empty.
            doc_id: copied into the result.
            title: copied into the result.
            meta: copied into the result: date, outlet, url …, as plain JSON values.
            neutral: list all pairs of holder and target that are scored; without it, those that
                take a side, and the neutral ones of the targets that are named.

        Raises:
            InputError: if a target is blank, or a text cannot be encoded (half of a surrogate pair).
            TypeError: if ``text`` is not a string; the error says what to pass.
        """
        text = check_text(text)
        article = Article(doc_id, text, title, meta=plain_values(meta or {}, "meta"))
        finish = self.begin(article, targets, neutral=neutral)
        return finish()

    def tag_all(
        self,
        articles: Iterable[Article | ClaimstanceError | str | None],
        targets: Sequence[str] | str = (),
        should_cancel: ShouldCancel = never_cancel,
        neutral: bool = False,
    ) -> Iterator[ResultItem]:
        """Tag articles one after the other, in order, with the same results as ``tag`` but faster.

        The encoder reads the next articles while the results of one are put together. An error among
        ``articles`` (for one that could not be read) is yielded in its place. Texts may stand for
        articles, as in a column of a data frame: their ids are the labels of the column, or their
        positions. A missing text (``None``, NaN) gives an article without sentences and a warning
        that names its row.

        Raises:
            InputError: as ``tag``.
            CancelledError: once ``should_cancel`` returns true.
            TypeError: if ``articles`` is not an iterable of articles; the error says what to pass.
        """
        names = check_targets(targets)
        items = iterate_articles(check_articles(articles))

        def begin(item: Article | ClaimstanceError) -> Callable[[], ResultItem]:
            # An error is the result in its place.
            if isinstance(item, ClaimstanceError):
                return lambda: item
            return self.begin(item, names, should_cancel, neutral)

        # ``map`` is lazy: an article begins only when ``prefetch`` takes it.
        return self.prefetch(map(begin, items))

    def tag_many(
        self,
        texts: Iterable[str | Article | None],
        targets: Sequence[str] | str = (),
        neutral: bool = False,
    ) -> list[TaggedArticle]:
        """Tag several texts (a list, or a column of a data frame) and return their articles in order.

        Use ``tag_all``, which yields one result after the other, for what does not fit in memory.

        Raises:
            InputError: as ``tag``.
            TypeError: if ``texts`` is not an iterable of texts; the error says what to pass.
        """
        results = []
        for tagged in self.tag_all(texts, targets, neutral=neutral):
            if isinstance(tagged, ClaimstanceError):
                raise tagged
            results.append(tagged)
        return results

    def begin(
        self,
        article: Article,
        targets: Sequence[str] | str = (),
        should_cancel: ShouldCancel = never_cancel,
        neutral: bool = False,
    ) -> Callable[[], TaggedArticle]:
        """Start to encode an article and return a function that waits for the result.

        With one thread, only that function encodes. ``prefetch`` runs several of these functions in order.

        Raises:
            InputError: as ``tag``.
            CancelledError: from the returned function, once ``should_cancel`` returns true.
        """
        targets = check_targets(targets)
        check_characters("the text", article.text)
        # A copy of an article, such as a reprint, need not be encoded again.
        cached = self._cache.get(article.text, targets, neutral)
        if cached is not None:
            return partial(cached.with_metadata, article)
        bounds = split_sentences(article.text)
        texts = [article.text[start:end] for start, end in bounds]
        pending = self._predictor.submit(texts, should_cancel, layout_of(article.text, bounds))
        return partial(self._finish, article, targets, neutral, bounds, pending)

    def prefetch(
        self, begun: Iterable[Callable[[], T]], count: int = PREFETCH_PER_WORKER
    ) -> Iterator[T]:
        """Yield the results of ``begun`` in order, with ``count`` of them per thread in progress.

        Args:
            begun: functions that ``begin`` returned. Taking the next of them begins its article.
            count: the number of articles per thread that are begun before the first result is awaited.
        """
        return self._predictor.prefetch(begun, count)

    def predict(self, records: Iterable[Record | dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Yield the records, in order, as plain values with ``predicted`` added.

        See the command ``predict`` in docs/record.md for the fields.
        """
        parsed = []
        for number, record in enumerate(records):
            if not isinstance(record, Record):
                record = parse_record(record, f"records[{number}]")
            parsed.append(record)
        predictions = predict(self._predictor, parsed, MentionFinder())
        for record, prediction in zip(parsed, predictions, strict=True):
            yield predicted_record(self._predictor.config, record, prediction)

    def begin_records(
        self, records: Sequence[Record], should_cancel: ShouldCancel = never_cancel
    ) -> Callable[[], list[dict[str, Any]]]:
        """Start to predict the records of one document, as ``begin`` does an article."""
        pending = begin_document(self._predictor, records, MentionFinder(), should_cancel)

        def finish() -> list[dict[str, Any]]:
            rows = []
            for record, prediction in zip(records, pending.result(), strict=True):
                rows.append(predicted_record(self._predictor.config, record, prediction))
            return rows

        return finish

    def _finish(
        self,
        article: Article,
        targets: list[str],
        neutral: bool,
        bounds: list[Offsets],
        pending: PendingDocument,
    ) -> TaggedArticle:
        """Wait for the encoder and put the results of an article together."""
        document = self._predictor.result(pending)
        aligned = align_article(document, article.text, bounds)
        stances: list[Stance] = []
        if "stance" in self.tasks:
            stances = find_stances(self._predictor, aligned, targets, self.topics, neutral)
        sentences = self._sentences(aligned, stances)
        # The cache holds an article without its metadata: a reprint has an id and a date of its own.
        tagged = TaggedArticle(
            doc_id="",
            title=None,
            text=article.text,
            model=self.model,
            sentences=sentences,
            sources=group_sources(sentences, targets),
            warnings=article_warnings(document, article.text, targets, self.tasks, self.topics),
        )
        self._cache.put(tagged, targets, neutral)
        return tagged.with_metadata(article)

    def _sentences(self, article: AlignedArticle, stances: Sequence[Stance]) -> list[Sentence]:
        """Return the sentences of an article, each with its labels and with everything in it."""
        document, alignment = article.document, article.alignment
        count = len(alignment.bounds)
        has_attributions = document.attributions is not None
        has_entities = document.entities is not None
        entities = [
            (entity.span.sentence, alignment.entity(entity)) for entity in document.entities or ()
        ]
        attributions_by_sentence = group_by_sentence(article.attributions, count)
        continuations_by_sentence = group_by_sentence(article.continuations, count)
        entities_by_sentence = group_by_sentence(entities, count)
        stances_by_sentence = group_by_sentence([(s.sentence, s) for s in stances], count)

        config = self._predictor.config
        sentences = []
        for index, (start, end) in enumerate(alignment.bounds):
            # Each task has rows of probabilities: (sentences, labels of the task).
            labels = {}
            for task, rows in document.probabilities.items():
                probabilities = by_label(config.labels[task], rows[index])
                labels[task] = label_of(config, task, probabilities)
            sentences.append(
                Sentence(
                    index,
                    start,
                    end,
                    alignment.text[start:end],
                    **labels,
                    attributions=attributions_by_sentence[index] if has_attributions else None,
                    entities=entities_by_sentence[index] if has_entities else None,
                    stances=stances_by_sentence[index],
                    continued=continuations_by_sentence[index] if has_attributions else None,
                )
            )
        return sentences


def _unpickle(
    folder: Path, threads: int | None, min_confidence: float | None, sha256: str
) -> Tagger:
    """Load the model of a pickled tagger again."""
    tagger = Tagger.from_pretrained(folder, threads, min_confidence)
    if tagger.model["sha256"] != sha256:
        raise ModelError(
            f"{folder}: expected the model with the sha256 {sha256[:12]}…, found "
            f"{tagger.model['sha256'][:12]}…: it was replaced meanwhile"
        )
    return tagger
