"""Baselines that a model has to beat: the most frequent label, and logistic regression (scikit-learn).

Each corpus and task has its own baselines, fitted on its train records and scored as a model is. The
regression on words uses TF-IDF weights of single words and word pairs (Salton & Buckley 1988): of the
sentence, and for questions of stance also of the target and of the holder, each with the words around
it. The regression on embeddings uses vectors of the same texts from a pretrained encoder that is not
trained further. Macro-F1 on dev chooses the strength of the regularisation, and whether rare labels
weigh more; without dev, all rows weigh alike.
"""

import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from claimstance.model.article.record_prediction import Prediction
from claimstance.model.config import ModelConfig
from claimstance.model.labels import LABEL_TASKS
from claimstance.model.record import Record, Span
from claimstance.model.text.mentions import find_mentions
from claimstance.training.evaluation.metrics import Array
from claimstance.training.evaluation.scoring import Results, score_pairs

Settings = tuple[float, str | None]  # C, and the class weight: "balanced", or all alike
Embed = Callable[[Sequence[str]], Array]  # texts → one vector of length 1 for each
Labels = Mapping[str, Sequence[str]]  # task → labels
#: The sentence; for stance also the texts near the target and near the holder.
QuestionTexts = tuple[str, ...]

STRENGTHS = (0.3, 3.0)  # C of the regression on words
EMBEDDING_STRENGTHS = (1.0, 10.0)
WEIGHTS: tuple[str | None, ...] = (None, "balanced")
MAX_ROWS = 5000  # rows that `compute_baselines` fits on: more would take minutes, and add little
METRIC = "macro_f1"  # compares a model with its baselines
_MANY_QUESTIONS = 1000  # from this number on, words that occur once are ignored
_CONTEXT_WORDS = 5  # on either side of a target or holder
_WORD = re.compile(r"\w+|[^\w\s]")

#: How messages call each baseline.
DESCRIPTIONS = {
    "majority": "the commonest label",
    "words": "a logistic regression on words",
    "embeddings": "a logistic regression on sentence embeddings",
}


class CorpusTask(NamedTuple):
    """Represent the annotated records of one task and corpus in each split."""

    corpus: str
    task: str
    train: list[Record]
    dev: list[Record]
    test: list[Record]


def majority(train: Sequence[Record], test: Sequence[Record], labels: Labels) -> Results:
    """Return the figures of always predicting each corpus's most frequent train label.

    Args:
        train: records of any corpora, distinguished by ``meta["corpus"]``.
        test: records to score on; a corpus and task without train labels is omitted.
        labels: task → label names.

    Returns:
        Figures as from ``evaluate``.
    """
    results: Results = {}
    for data in _by_corpus_and_task(train, (), test):
        counts = Counter(label for _, label in _labelled_questions(data.task, data.train))
        shares = {name: counts[name] / counts.total() for name in labels[data.task]}
        probabilities = [shares] * len(_questions(data.task, data.test))
        results |= _score(data.task, data.test, probabilities, labels)
    return results


def regression(
    train: Sequence[Record],
    dev: Sequence[Record],
    test: Sequence[Record],
    labels: Labels,
    embed: Embed | None = None,
    max_rows: int | None = None,
) -> tuple[Results, dict[str, Settings]]:
    """Return the figures of logistic regression on words, or on embeddings; see ``majority``.

    Args:
        train: records to fit on.
        dev: records to choose the settings on.
        test: records to score on.
        labels: task → label names.
        embed: embeds texts; if ``None``, the regression is on words.
        max_rows: the greatest number of train records of a corpus and task, drawn at random; all
            if ``None``.

    Returns:
        Figures as from ``evaluate``, and for each ``corpus/task`` the settings chosen on dev.
    """
    results: Results = {}
    settings_by_name: dict[str, Settings] = {}
    for data in _by_corpus_and_task(train, dev, test):
        records = data.train
        # A fixed seed, so that the baselines of two evaluations are equal.
        if max_rows is not None and len(records) > max_rows:
            records = random.Random(0).sample(records, max_rows)
        questions, gold = zip(*_labelled_questions(data.task, records), strict=True)
        if len(set(gold)) < 2:
            continue  # a regression needs two labels

        vectorizer = _word_vectorizer(questions)
        strengths = STRENGTHS
        if embed is not None:
            vectorizer = _EmbeddingVectorizer(questions, embed)
            strengths = EMBEDDING_STRENGTHS
        features = vectorizer.fit_transform(_table(questions))
        dev_questions = _labelled_questions(data.task, data.dev)
        settings = _choose_settings(vectorizer, features, gold, strengths, dev_questions)
        settings_by_name[f"{data.corpus}/{data.task}"] = settings

        classifier = _fit(features, gold, settings)
        test_features = vectorizer.transform(_table(_questions(data.task, data.test)))
        rows = classifier.predict_proba(test_features).tolist()  # (questions, labels)
        probabilities = [dict(zip(classifier.classes_, row, strict=True)) for row in rows]
        results |= _score(data.task, data.test, probabilities, labels)
    return results, settings_by_name


def compute_baselines(
    train: Sequence[Record],
    dev: Sequence[Record],
    test: Sequence[Record],
    labels: Labels,
    embed: Embed | None = None,
) -> dict[str, Results]:
    """Fit every baseline on train and score it on test.

    A corpus of test without train rows, such as a file of its own for each split, gets baselines of all train rows.

    Args:
        train: records to fit on; at most ``MAX_ROWS`` of each corpus and task are used.
        dev: records to choose the regressions' settings on.
        test: records to score on.
        labels: task → label names.
        embed: embeds texts; without it, there is no regression on embeddings.

    Returns:
        ``majority``, ``words`` and ``embeddings`` → figures as from ``evaluate``.
    """
    train = _with_rows_for(test, train)
    dev = _with_rows_for(test, dev)
    baselines = {
        "majority": majority(train, test, labels),
        "words": regression(train, dev, test, labels, max_rows=MAX_ROWS)[0],
    }
    if embed is not None:
        baselines["embeddings"] = regression(train, dev, test, labels, embed, MAX_ROWS)[0]
    return {name: results for name, results in baselines.items() if results}


def _with_rows_for(test: Sequence[Record], records: Sequence[Record]) -> list[Record]:
    """Return records, and all of them once more for each corpus of test that has none among them."""
    present = {record.meta.get("corpus") for record in records}
    missing = {record.meta.get("corpus") for record in test} - present
    extended = list(records)
    for corpus in sorted(missing, key=str):
        for record in records:
            meta = {**record.meta, "corpus": corpus}
            extended.append(record.model_copy(update={"meta": meta}))
    return extended


def not_beaten(results: Results, baselines: Mapping[str, Results]) -> list[str]:
    """Describe each task in which a model is not better than the best baseline."""
    messages = []
    for name, figures in results.items():
        scores = {}
        for baseline, baseline_results in baselines.items():
            if METRIC in baseline_results.get(name, {}):
                scores[baseline] = baseline_results[name][METRIC].value
        if not scores or METRIC not in figures:
            continue
        best = max(scores, key=lambda baseline: scores[baseline])
        value = figures[METRIC].value
        # Nothing is better than a model without errors, even if a baseline has none either.
        if value <= scores[best] and value < 1:
            messages.append(
                f"{name}: the model is not better than {DESCRIPTIONS[best]}: macro-F1 "
                f"{100 * value:.1f} against {100 * scores[best]:.1f}"
            )
    return messages


def _by_corpus_and_task(
    train: Sequence[Record], dev: Sequence[Record], test: Sequence[Record]
) -> Iterator[CorpusTask]:
    """Yield each task and corpus that has labels in train and test."""
    train_by_corpus, dev_by_corpus = _by_corpus(train), _by_corpus(dev)
    test_by_corpus = _by_corpus(test)
    corpora = dict.fromkeys([*train_by_corpus, *dev_by_corpus, *test_by_corpus])
    for task, corpus in product(LABEL_TASKS, corpora):
        data = CorpusTask(
            corpus,
            task,
            _with_label(task, train_by_corpus[corpus]),
            _with_label(task, dev_by_corpus[corpus]),
            _with_label(task, test_by_corpus[corpus]),
        )
        # Without train there is nothing to fit on, and without test nothing to score.
        if data.train and data.test:
            yield data


def _by_corpus(records: Sequence[Record]) -> dict[str, list[Record]]:
    """Return corpus → its records; an unknown corpus has none."""
    corpora: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        corpora[str(record.meta.get("corpus", "data"))].append(record)
    return corpora


def _with_label(task: str, records: Sequence[Record]) -> list[Record]:
    """Return the records that have a label of the task."""
    if task != "stance":
        return [record for record in records if getattr(record, task) is not None]
    return [
        record
        for record in records
        if any(stance.label is not None for stance in record.stances or ())
    ]


def _questions(task: str, records: Sequence[Record]) -> list[QuestionTexts]:
    """Return one question for each sentence or stance, labelled or not."""
    return [question for question, _ in _questions_and_labels(task, records)]


def _labelled_questions(task: str, records: Sequence[Record]) -> list[tuple[QuestionTexts, str]]:
    """Return the questions that have a label, with the label."""
    labelled = []
    for question, label in _questions_and_labels(task, records):
        if label is not None:
            labelled.append((question, label))
    return labelled


def _questions_and_labels(
    task: str, records: Sequence[Record]
) -> Iterator[tuple[QuestionTexts, str | None]]:
    """Yield one question for each sentence or stance, with its label."""
    for record in records:
        if task != "stance":
            yield (record.text,), getattr(record, task)
            continue
        for stance in record.stances or ():
            target = _with_context(record.text, stance.target)
            holder = _with_context(record.text, stance.holder)
            yield (record.text, target, holder), stance.label


def _with_context(text: str, entity: Span | str | None) -> str:
    """Return a target or holder with the words around it; its name if the text does not mention it."""
    if isinstance(entity, str):
        mentions = find_mentions(entity, text)
        if not mentions:
            return entity
        entity = [mentions[0]]
    if not entity:
        return ""
    words = [match.span() for match in _WORD.finditer(text)]
    inside = []
    for number, (start, end) in enumerate(words):
        if start < entity[-1][1] and entity[0][0] < end:
            inside.append(number)
    if not inside:
        return ""
    first = max(inside[0] - _CONTEXT_WORDS, 0)
    last = min(inside[-1] + _CONTEXT_WORDS, len(words) - 1)
    return text[words[first][0] : words[last][1]]


def _word_vectorizer(questions: Sequence[QuestionTexts]) -> Any:
    """Return a vectorizer of TF-IDF weights, side by side for each column that has words."""
    from sklearn.compose import ColumnTransformer
    from sklearn.feature_extraction.text import TfidfVectorizer

    # A vectorizer cannot be fitted on a column without words, such as holders that nobody named.
    filled = [
        column
        for column in range(len(questions[0]))
        if any(_WORD.search(question[column]) for question in questions)
    ]
    settings = {
        "ngram_range": (1, 2),
        "sublinear_tf": True,
        # By default, scikit-learn ignores words of one letter and punctuation.
        "token_pattern": _WORD.pattern,
        # Words that occur once say little, and are most of the vocabulary.
        "min_df": 2 if len(questions) >= _MANY_QUESTIONS else 1,
    }
    transformers = [(str(column), TfidfVectorizer(**settings), column) for column in filled]
    return ColumnTransformer(transformers)


class _EmbeddingVectorizer:
    """Concatenate the embeddings of each column that has texts; each text is embedded once."""

    def __init__(self, questions: Sequence[QuestionTexts], embed: Embed) -> None:
        self._embed = embed
        self._columns = []
        for column in range(len(questions[0])):
            if any(question[column].strip() for question in questions):
                self._columns.append(column)

    def fit_transform(self, table: Any) -> Array:
        return self.transform(table)

    def transform(self, table: Any) -> Array:
        """Return vectors (rows, columns × width) of a table of texts (rows, columns)."""
        texts: dict[str, int] = {}  # text → row of its vector
        for column in self._columns:
            for text in table[:, column]:
                texts.setdefault(str(text), len(texts))
        vectors = self._embed(list(texts))
        blocks = []
        for column in self._columns:
            rows = [texts[str(text)] for text in table[:, column]]
            blocks.append(vectors[rows])
        return np.concatenate(blocks, axis=1)


def _table(questions: Sequence[QuestionTexts]) -> Any:
    """Return the texts of questions as an array (rows, columns)."""
    return np.array(questions, dtype=object)


def _choose_settings(
    vectorizer: Any,
    features: Any,
    gold: Sequence[str],
    strengths: Sequence[float],
    dev: Sequence[tuple[QuestionTexts, str]],
) -> Settings:
    """Return the settings of the best macro-F1 on dev; the weakest regularisation without dev."""
    from sklearn.metrics import f1_score

    settings: Settings = (strengths[-1], None)
    if not dev:
        return settings
    dev_features = vectorizer.transform(_table([question for question, _ in dev]))
    dev_gold = [label for _, label in dev]
    best = -1.0
    # On a tie, the first candidate stays: the stronger regularisation without weights.
    for candidate in product(strengths, WEIGHTS):
        predicted = _fit(features, gold, candidate).predict(dev_features)
        score = f1_score(dev_gold, predicted, average="macro")
        if score > best:
            best = score
            settings = candidate
    return settings


def _fit(features: Any, gold: Sequence[str], settings: Settings) -> Any:
    """Return a fitted logistic regression."""
    from sklearn.linear_model import LogisticRegression

    strength, weight = settings
    return LogisticRegression(C=strength, class_weight=weight, max_iter=1000).fit(features, gold)


def _score(
    task: str, records: Sequence[Record], answers: Sequence[Mapping[str, float]], labels: Labels
) -> Results:
    """Return the figures of answers to the questions of ``records``, scored as a model's are."""
    # A label that train lacks has no probability: the model's classes are those of the training rows.
    completed = [{name: answer.get(name, 0.0) for name in labels[task]} for answer in answers]
    # The answers are in the order of the questions: one for each sentence, or for each stance.
    remaining = iter(completed)
    pairs = []
    for record in records:
        prediction = Prediction()
        if task == "stance":
            prediction.stances = [next(remaining) for _ in record.stances or ()]
            prediction.kinds = ["stance"] * len(prediction.stances)
        else:
            setattr(prediction, task, next(remaining))
        pairs.append((record, prediction))
    config = ModelConfig({}, tasks=(task,), labels={task: tuple(labels[task])})
    return score_pairs(config, pairs)[0]
