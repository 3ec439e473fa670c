"""What the page that lists many articles is made of: counts, kept on disk, so that memory does not grow with them."""

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from claimstance.inference.pages.stance_matrix import (
    NO_NAME,
    TEXT_ITSELF,
    Cell,
    Count,
    Holder,
    Matrix,
    StanceLabel,
    Target,
    lay_out,
    stance_labels,
)
from claimstance.inference.results import TaggedArticle

FIRST_ROWS, MOST_ROWS, COLUMNS, PAGES = 50, 500, 16, 10
_NAMED, _NOT_NAMED, _TEXT = range(3)  # kinds of holders
_TABLES = """
    CREATE TABLE article (number INTEGER PRIMARY KEY, file TEXT, facts TEXT);
    CREATE TABLE stance (kind INTEGER, holder TEXT, target TEXT, label TEXT, article INTEGER, count INTEGER);
    CREATE TABLE speaks (holder TEXT, article INTEGER, claims INTEGER);
"""
_INDEXES = (
    "CREATE INDEX by_holder ON stance (kind, holder); CREATE INDEX by_speaker ON speaks (holder);"
)
_HOLDERS = """
    SELECT kind, holder, SUM(count * (label <> 'neutral')) AS sided, SUM(count) AS n FROM stance GROUP BY kind, holder
    ORDER BY kind, sided DESC, n DESC, MIN(rowid)
"""
_TARGETS = """
    SELECT target, SUM(count * (label <> 'neutral')) AS sided, SUM(count) AS n FROM stance GROUP BY target
    ORDER BY sided DESC, n DESC, MIN(rowid)
"""
_CELLS = "SELECT target, label, SUM(count) FROM stance WHERE kind = ? AND holder = ? GROUP BY target, label"
_OF_ARTICLE = "SELECT label, SUM(count) FROM stance WHERE kind = ? AND holder = ? AND article = ? GROUP BY label"
_WHERE = """
    SELECT article.number, file, facts FROM article
    JOIN (SELECT article FROM speaks WHERE holder = :holder AND :kind = 0
          UNION SELECT article FROM stance WHERE kind = :kind AND holder = :holder) AS places
    ON places.article = article.number ORDER BY article.number
"""


@dataclass(frozen=True)
class Row:
    """An article in the list, or all of them together: what there is in it, and its stances by label."""

    sentences: int
    said: int
    sources: int
    stances: dict[str, int]
    warnings: int
    title: str = ""
    doc_id: str = ""
    file: str = ""
    articles: int = 1
    targets: int = 0
    holders: int = 0


@dataclass(frozen=True)
class Speaker:
    """A source with the pages it is in: (file, title, its stances there)."""

    holder: Holder
    articles: int
    pages: list[tuple[str, str, list[tuple[StanceLabel, int]]]]


class Index:
    """Counts of the articles whose pages were written. Only stances that count are counted."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("")  # a file without a name, which goes when it is closed
        self._database.executescript(_TABLES)
        self._model: dict[str, str] = {}
        self.articles = 0

    def add(self, article: TaggedArticle, file: str) -> None:
        """Count an article, whose page is ``file``."""
        self._model = article.model
        facts = {
            "sentences": len(article.sentences),
            "sources": len(article.sources),
            "warnings": len(article.warnings),
            "said": sum(len(sentence.attributions or ()) for sentence in article.sentences),
            "stances": Counter(stance.label for stance in article.stances if not stance.abstained),
            "title": article.title or article.doc_id or file,
            "doc_id": article.doc_id,
        }
        names = {source.name for source in article.sources}
        stances = Counter(
            (*_holder(stance.holder, names), stance.target, stance.label)
            for stance in article.stances
            if not stance.abstained
        )
        number = self.articles = self.articles + 1
        add = self._database.executemany
        add("INSERT INTO article VALUES (?, ?, ?)", [(number, quote(file), json.dumps(facts))])
        add(
            "INSERT INTO stance VALUES (?, ?, ?, ?, ?, ?)",
            [(*key, number, count) for key, count in stances.items()],
        )
        add(
            "INSERT INTO speaks VALUES (?, ?, ?)",
            [(s.name, number, len(s.claims)) for s in article.sources],
        )

    def close(self) -> None:
        """Let go of the counts."""
        self._database.close()

    def shown(self) -> dict[str, Any]:
        """What the template of the index is given; the articles one by one."""
        self._database.executescript(_INDEXES)
        names = [
            name
            for (name,) in self._database.execute(
                "SELECT label FROM stance GROUP BY label ORDER BY label"
            )
        ]
        labels = stance_labels(names)
        targets = [
            Target(i, name) for i, (name, *_) in enumerate(self._database.execute(_TARGETS))
        ][:COLUMNS]
        found = list(self._database.execute(f"{_HOLDERS} LIMIT {MOST_ROWS}"))
        holders = [
            (kind, name, Holder(i, _shown_name(kind, name), kind == _NAMED, f"#h{i}"))
            for i, (kind, name, *_) in enumerate(found)
        ]
        matrix = self._matrix(holders, targets, labels)
        in_matrix = {row.holder.number for row in (*matrix.rows, *matrix.more)}
        return {
            "model": self._model,
            "labels": list(labels.values()),
            "matrix": matrix,
            "totals": self._totals(),
            "shown": {"targets": len(matrix.columns), "holders": len(in_matrix)},
            "by_source": [
                self._speaker(*holder, labels)
                for holder in holders
                if holder[2].number in in_matrix
            ],
            "articles": self._rows(),
        }

    def _matrix(
        self,
        holders: list[tuple[int, str, Holder]],
        targets: list[Target],
        labels: dict[str, StanceLabel],
    ) -> Matrix:
        numbers = {target.name: target for target in targets}
        cells: dict[tuple[int, int], Cell] = {}
        for kind, name, holder in holders:
            counts: dict[str, list[tuple[StanceLabel, int]]] = defaultdict(list)
            for target, label, count in self._database.execute(_CELLS, (kind, name)):
                if target in numbers:
                    counts[target].append((labels[label], count))
            for target, found in counts.items():
                cells[holder.number, numbers[target].number] = tuple(
                    Count(
                        label, count, holder.href, f"{holder.name} → {target}: {count} {label.name}"
                    )
                    for label, count in sorted(found, key=lambda pair: pair[0].number)
                )
        return lay_out(
            [holder for _, _, holder in holders], targets, cells, columns=COLUMNS, rows=FIRST_ROWS
        )

    def _speaker(
        self, kind: int, name: str, holder: Holder, labels: dict[str, StanceLabel]
    ) -> Speaker:
        places = self._database.execute(_WHERE, {"kind": kind, "holder": name}).fetchall()
        pages = []
        for number, file, facts in places[:PAGES]:
            counts = dict(self._database.execute(_OF_ARTICLE, (kind, name, number)))
            pages.append(
                (
                    file,
                    json.loads(facts)["title"],
                    [
                        (label, counts[label.name])
                        for label in labels.values()
                        if label.name in counts
                    ],
                )
            )
        return Speaker(holder, len(places), pages)

    def _rows(self) -> Iterator[Row]:
        for file, facts in self._database.execute(
            "SELECT file, facts FROM article ORDER BY number"
        ):
            yield Row(file=file, **json.loads(facts))

    def _totals(self) -> Row:
        sums: Counter[str] = Counter()
        stances: Counter[str] = Counter()
        for row in self._rows():
            sums.update(sentences=row.sentences, said=row.said, warnings=row.warnings)
            stances.update(row.stances)
        count = self._database.execute
        ((sources,),) = count("SELECT COUNT(DISTINCT holder) FROM speaks")
        ((targets,),) = count("SELECT COUNT(DISTINCT target) FROM stance")
        ((holders,),) = count("SELECT COUNT(*) FROM (SELECT DISTINCT kind, holder FROM stance)")
        return Row(
            sentences=sums["sentences"],
            said=sums["said"],
            warnings=sums["warnings"],
            sources=sources,
            stances=dict(stances),
            articles=self.articles,
            targets=targets,
            holders=holders,
        )


def _holder(name: str | None, named: set[str]) -> tuple[int, str]:
    if name is None:
        return _TEXT, ""
    return (_NAMED, name) if name in named else (_NOT_NAMED, "")


def _shown_name(kind: int, name: str) -> str:
    return {_NAMED: name, _NOT_NAMED: NO_NAME, _TEXT: TEXT_ITSELF}[kind]
