"""Baselines that a model has to beat: the commonest label, and logistic regression (scikit-learn).

Each corpus and task has baselines of its own, fitted on its train records and scored as a model is. The regression on
words sees TF-IDF weights of single words and pairs of them (Salton & Buckley 1988): of the sentence, and, of a question
of stance, apart from these of the target with the words around it, and of the holder likewise. The regression on
embeddings sees vectors of the same texts from a pretrained encoder that is not trained further. The strength of the
regularisation, and whether rare labels weigh more, are chosen by macro-F1 on dev; without dev, all rows weigh alike.
"""

import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np

from claimstance.model.config import ModelConfig
from claimstance.model.labels import SENTENCE_TASKS
from claimstance.model.prediction import Prediction
from claimstance.model.record import Record, Span
from claimstance.model.text.mentions import find_mentions
from claimstance.training.evaluation.evaluate import Results, score_pairs
from claimstance.training.evaluation.metrics import Array

TASKS = (*SENTENCE_TASKS, "stance")
Settings = tuple[float, str | None]  # C, and how rows are weighted: "balanced", or all alike
Embed = Callable[[Sequence[str]], Array]  # texts → a vector of length 1 for each
STRENGTHS = (0.3, 3.0)  # of words
EMBEDDING_STRENGTHS = (1.0, 10.0)
WEIGHTS: tuple[str | None, ...] = (None, "balanced")
MOST_ROWS = 5000  # rows that `compute_baselines` fits on: more would take minutes, and add little
METRIC = "macro_f1"  # by which a model and baselines are compared
_MANY = 1000  # questions, from which words that occur once are left out
_AROUND = 5  # words on either side of a target or holder
_WORD = re.compile(r"\w+|[^\w\s]")

#: How messages call each baseline.
DESCRIPTIONS = {
    "majority": "the commonest label",
    "words": "a logistic regression on words",
    "embeddings": "a logistic regression on sentence embeddings",
}
Question = tuple[
    str, ...
]  # the sentence; of a stance also what is at the target, and at the holder
Labels = Mapping[str, Sequence[str]]


def majority(train: Sequence[Record], test: Sequence[Record], labels: Labels) -> Results:
    """The figures of always giving each corpus's commonest train label.

    Args:
        train: records of any corpora, told apart by ``meta["corpus"]``.
        test: what to score on; a corpus and task without train labels is left out.
        labels: task → label names.

    Returns:
        What ``evaluate`` returns.
    """
    results: Results = {}
    for task, known, _, held in _by_corpus(train, (), test):
        counts = Counter(label for _, label in _answers(task, known))
        shares = {name: counts[name] / counts.total() for name in labels[task]}
        results |= _score(task, held, [shares] * len(_questions(task, held)), labels)
    return results


def regression(
    train: Sequence[Record],
    dev: Sequence[Record],
    test: Sequence[Record],
    labels: Labels,
    embed: Embed | None = None,
    most: int | None = None,
) -> tuple[Results, dict[str, Settings]]:
    """The figures of logistic regression on words, or on embeddings if there is ``embed``; see ``majority``.

    Args:
        train: records to fit on.
        dev: records to choose the settings on.
        test: records to score on.
        labels: task → label names.
        embed: gives the vectors of texts.
        most: fit on at most so many records of a corpus and task, drawn at random; on all if ``None``.

    Returns:
        What ``evaluate`` returns, and for each ``corpus/task`` the settings chosen on dev.
    """
    from sklearn.metrics import f1_score

    results: Results = {}
    chosen: dict[str, Settings] = {}
    strengths = STRENGTHS if embed is None else EMBEDDING_STRENGTHS
    for task, known, tuned, held in _by_corpus(train, dev, test):
        if most is not None and len(known) > most:
            known = random.Random(0).sample(known, most)
        questions, answers = zip(*_answers(task, known), strict=True)
        if len(set(answers)) < 2:
            continue  # nothing to tell apart
        words = _vectorizer(questions) if embed is None else _Embeddings(questions, embed)
        features = words.fit_transform(_table(questions))
        settings: Settings = (strengths[-1], None)
        best = -1.0
        asked = _answers(task, tuned)
        for candidate in product(strengths, WEIGHTS) if asked else ():
            said = _fit(features, answers, candidate).predict(
                words.transform(_table([one for one, _ in asked]))
            )
            if (reached := f1_score([gold for _, gold in asked], said, average="macro")) > best:
                best, settings = reached, candidate
        chosen[f"{known[0].meta.get('corpus', 'data')}/{task}"] = settings
        results |= _score(
            task,
            held,
            _ask(words, _fit(features, answers, settings), _questions(task, held)),
            labels,
        )
    return results, chosen


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
        train: records to fit on; at most ``MOST_ROWS`` of each corpus and task are used.
        dev: records to choose the regressions' settings on.
        test: records to score on.
        labels: task → label names.
        embed: gives the vectors of texts; without it, there is no regression on embeddings.

    Returns:
        ``majority``, ``words`` and ``embeddings`` → what ``evaluate`` returns.
    """
    train, dev = (_with_rows_for(test, records) for records in (train, dev))
    baselines = {
        "majority": majority(train, test, labels),
        "words": regression(train, dev, test, labels, most=MOST_ROWS)[0],
    }
    if embed is not None:
        baselines["embeddings"] = regression(train, dev, test, labels, embed, MOST_ROWS)[0]
    return {name: results for name, results in baselines.items() if results}


def _with_rows_for(test: Sequence[Record], records: Sequence[Record]) -> list[Record]:
    """Return records, and all of them once more for each corpus of test that has none among them."""
    present = {record.meta.get("corpus") for record in records}
    missing = {record.meta.get("corpus") for record in test} - present
    extended = list(records)
    for corpus in sorted(missing, key=str):
        extended += [
            record.model_copy(update={"meta": {**record.meta, "corpus": corpus}})
            for record in records
        ]
    return extended


def not_beaten(results: Results, baselines: Mapping[str, Results]) -> list[str]:
    """Describe each task in which a model is not better than the best baseline."""
    messages = []
    for name, figures in results.items():
        scores = {
            baseline: theirs[name][METRIC].value
            for baseline, theirs in baselines.items()
            if name in theirs and METRIC in theirs[name]
        }
        if not scores or METRIC not in figures:
            continue
        best = max(scores, key=lambda baseline: scores[baseline])
        value = figures[METRIC].value
        if value <= scores[best] and value < 1:  # nothing is better than a model without errors
            messages.append(
                f"{name}: the model is not better than {DESCRIPTIONS[best]}: macro-F1 "
                f"{100 * value:.1f} against {100 * scores[best]:.1f}"
            )
    return messages


def _by_corpus(
    *splits: Sequence[Record],
) -> Iterator[tuple[str, list[Record], list[Record], list[Record]]]:
    """Each task with the records of one corpus in each split, if train and test have labels of it."""
    corpora: dict[str, list[list[Record]]] = defaultdict(lambda: [[], [], []])
    for number, records in enumerate(splits):
        for record in records:
            corpora[str(record.meta.get("corpus", "data"))][number].append(record)
    for task, (train, dev, test) in product(TASKS, corpora.values()):
        train, dev, test = (
            [record for record in records if _has(task, record)] for records in (train, dev, test)
        )
        if train and test:
            yield task, train, dev, test


def _has(task: str, record: Record) -> bool:
    if task == "stance":
        return any(stance.label is not None for stance in record.stances or ())
    return getattr(record, task) is not None


def _questions(task: str, records: Sequence[Record]) -> list[Question]:
    """One a sentence, or one a stance, labelled or not."""
    return [question for question, _ in _pairs(task, records)]


def _answers(task: str, records: Sequence[Record]) -> list[tuple[Question, str]]:
    """The questions that have a label, with it."""
    return [(question, label) for question, label in _pairs(task, records) if label is not None]


def _pairs(task: str, records: Sequence[Record]) -> Iterator[tuple[Question, str | None]]:
    for record in records:
        if task != "stance":
            yield (record.text,), getattr(record, task)
            continue
        for stance in record.stances or ():
            yield (
                (record.text, *(_near(record.text, at) for at in (stance.target, stance.holder))),
                stance.label,
            )


def _near(text: str, what: Span | str | None) -> str:
    """A target or holder with the words around it; its name alone if the text does not mention it."""
    if isinstance(what, str):
        mentions = find_mentions(what, text)
        if not mentions:
            return what
        what = [mentions[0]]
    if not what:
        return ""
    words = [match.span() for match in _WORD.finditer(text)]
    inside = [i for i, (start, end) in enumerate(words) if start < what[-1][1] and what[0][0] < end]
    if not inside:
        return ""
    near = words[max(inside[0] - _AROUND, 0) : inside[-1] + _AROUND + 1]
    return text[near[0][0] : near[-1][1]]


def _vectorizer(questions: Sequence[Question]) -> Any:
    """TF-IDF of each part of a question that is ever filled, side by side."""
    from sklearn.compose import ColumnTransformer
    from sklearn.feature_extraction.text import TfidfVectorizer

    filled = [
        part
        for part in range(len(questions[0]))
        if any(_WORD.search(question[part]) for question in questions)
    ]
    # The tokens are given by their pattern: a lone word of one letter counts, too, and so does a mark.
    rarest = (
        2 if len(questions) >= _MANY else 1
    )  # what occurs once tells little, and is most of what there is
    settings = {
        "ngram_range": (1, 2),
        "sublinear_tf": True,
        "token_pattern": _WORD.pattern,
        "min_df": rarest,
    }
    return ColumnTransformer([(str(part), TfidfVectorizer(**settings), part) for part in filled])


class _Embeddings:
    """Vectors of each part of a question that is ever filled, side by side; each text is embedded once."""

    def __init__(self, questions: Sequence[Question], embed: Embed) -> None:
        self._embed = embed
        self._parts = [
            part
            for part in range(len(questions[0]))
            if any(question[part].strip() for question in questions)
        ]

    def fit_transform(self, table: Any) -> Array:
        return self.transform(table)

    def transform(self, table: Any) -> Array:
        texts = list(dict.fromkeys(str(text) for part in self._parts for text in table[:, part]))
        place = {text: number for number, text in enumerate(texts)}
        vectors = self._embed(texts)
        columns = [vectors[[place[str(text)] for text in table[:, part]]] for part in self._parts]
        return np.concatenate(columns, axis=1)


def _table(questions: Sequence[Question]) -> Any:
    return np.array(questions, dtype=object)


def _fit(features: Any, answers: Sequence[str], settings: Settings) -> Any:
    from sklearn.linear_model import LogisticRegression

    strength, weight = settings
    return LogisticRegression(C=strength, class_weight=weight, max_iter=1000).fit(features, answers)


def _ask(words: Any, model: Any, questions: Sequence[Question]) -> list[dict[str, float]]:
    rows = model.predict_proba(words.transform(_table(questions)))
    return [dict(zip(model.classes_, map(float, row), strict=True)) for row in rows]


def _score(
    task: str, records: Sequence[Record], answers: Sequence[Mapping[str, float]], labels: Labels
) -> Results:
    """The figures of answers to the questions of ``records``, scored as a model's are."""
    rest = iter([{name: answer.get(name, 0.0) for name in labels[task]} for answer in answers])
    predictions = []
    for record in records:
        predictions.append(Prediction())
        if task == "stance":
            predictions[-1].stances = [next(rest) for _ in record.stances or ()]
            predictions[-1].kinds = ["stance"] * len(predictions[-1].stances)
        else:
            setattr(predictions[-1], task, next(rest))
    config = ModelConfig({}, tasks=(task,), labels={task: tuple(labels[task])})
    return score_pairs(config, list(zip(records, predictions, strict=True)))[0]
