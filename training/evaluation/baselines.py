"""What a model has to beat: the commonest label, and logistic regression on the words (scikit-learn).

Each corpus and task has baselines of its own, fitted on its train records and scored as a model is. The regression sees
TF-IDF weights of single words and pairs of them (Salton & Buckley 1988): of the sentence, and, of a question of stance,
apart from these of the target with the words around it, and of the holder likewise. How strongly it is regularised,
and whether rare labels weigh more, is what has the best macro-F1 on dev; without dev, C is 3 and all rows weigh alike.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np

from claimstance.model.config import ModelConfig
from claimstance.model.labels import SENTENCE_TASKS
from claimstance.model.prediction import Prediction
from claimstance.model.record import Record, Span
from claimstance.model.text.mentions import find_mentions
from claimstance.training.evaluation.evaluate import Results, score_pairs

TASKS = (*SENTENCE_TASKS, "stance")
Settings = tuple[float, str | None]  # C, and how rows are weighted: "balanced", or all alike
STRENGTHS = (0.3, 3.0)
WEIGHTS: tuple[str | None, ...] = (None, "balanced")
_DEFAULT: Settings = (3.0, None)
_MANY = 1000  # questions, from which words that occur once are left out
_AROUND = 5  # words on either side of a target or holder
_WORD = re.compile(r"\w+|[^\w\s]")

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
    train: Sequence[Record], dev: Sequence[Record], test: Sequence[Record], labels: Labels
) -> tuple[Results, dict[str, Settings]]:
    """The figures of logistic regression on words; see ``majority``.

    Returns:
        What ``evaluate`` returns, and for each ``corpus/task`` the settings chosen on dev.
    """
    from sklearn.metrics import f1_score

    results: Results = {}
    chosen: dict[str, Settings] = {}
    for task, known, tuned, held in _by_corpus(train, dev, test):
        questions, answers = zip(*_answers(task, known), strict=True)
        if len(set(answers)) < 2:
            continue  # nothing to tell apart
        words = _vectorizer(questions)
        features = words.fit_transform(_table(questions))
        best, settings = -1.0, _DEFAULT
        asked = _answers(task, tuned)
        for candidate in product(STRENGTHS, WEIGHTS) if asked else ():
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
