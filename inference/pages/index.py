"""The values of the page that lists many articles: counts on disk, so that memory does not grow."""

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from claimstance.inference.grouping import name_aliases, named_holders
from claimstance.inference.pages.stance_matrix import (
    TEXT_ITSELF,
    Cell,
    Count,
    Holder,
    Matrix,
    StanceLabel,
    Target,
    build_matrix,
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
_HOLDERS = f"""
    SELECT kind, holder, SUM(count) AS n FROM stance WHERE kind <> {_NOT_NAMED} GROUP BY kind, holder
    ORDER BY kind, n DESC, MIN(rowid)
"""
_TARGETS = f"""
    SELECT target, SUM(count) AS n FROM stance WHERE kind <> {_NOT_NAMED} GROUP BY target
    ORDER BY n DESC, MIN(rowid)
"""
_CELLS = "SELECT target, label, SUM(count) FROM stance WHERE kind = ? AND holder = ? GROUP BY target, label"
_OF_ARTICLE = "SELECT label, SUM(count) FROM stance WHERE kind = ? AND holder = ? AND article = ? GROUP BY label"
_WHERE = """
    SELECT article.number, file, facts FROM article
    JOIN (SELECT article FROM speaks WHERE holder = :holder AND :kind = 0
          UNION SELECT article FROM stance WHERE kind = :kind AND holder = :holder) AS mentioned
    ON mentioned.article = article.number ORDER BY article.number
"""


@dataclass(frozen=True)
class ArticleRow:
    """Represent an article in the list, or the sums over all of them; ``stances`` is label → count."""

    sentences: int
    attributions: int
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
class SourcePages:
    """Represent a source and the pages that it speaks on, as (file, title, stances there)."""

    holder: Holder
    articles: int
    pages: list[tuple[str, str, list[tuple[StanceLabel, int]]]]


@dataclass(frozen=True)
class _IndexedHolder:
    """Represent a holder with the key of its stances in the database."""

    kind: int
    name: str
    holder: Holder


class Index:
    """Count the stances and attributions of the articles that have pages.

    Stances that take no side, or from which the model abstains, are left out. Aliases of a name are one
    name within an article, but not across articles.
    """

    def __init__(self) -> None:
        # A database without a name lives in a temporary file, which SQLite deletes on closing.
        self._database = sqlite3.connect("")
        self._database.executescript(_TABLES)
        self._model: dict[str, str] = {}
        self.articles = 0

    def add(self, article: TaggedArticle, file: str) -> None:
        """Count an article, whose page is ``file``."""
        self._model = article.model
        self.articles += 1
        number = self.articles
        counted = [stance for stance in article.stances if stance.is_counted]
        # What a row of the list shows. It is stored as JSON, since no query looks into it.
        facts = {
            "sentences": len(article.sentences),
            "sources": len(article.sources),
            "warnings": len(article.warnings),
            "attributions": sum(len(sentence.attributions or ()) for sentence in article.sentences),
            "stances": Counter(stance.label for stance in counted),
            "title": article.title or article.doc_id or file,
            "doc_id": article.doc_id,
        }
        insert = self._database.executemany
        insert("INSERT INTO article VALUES (?, ?, ?)", [(number, quote(file), json.dumps(facts))])
        insert(
            "INSERT INTO speaks VALUES (?, ?, ?)",
            [(source.name, number, len(source.claims)) for source in article.sources],
        )

        aliases = name_aliases(article.sentences)
        names = {source.name for source in article.sources}
        names |= {aliases[name] for name in named_holders(article.sentences)}
        stance_counts: Counter[tuple[int, str, str, str]] = Counter()
        for stance in counted:
            if stance.holder is None:
                kind, name = _TEXT, ""
            elif aliases[stance.holder] in names:
                kind, name = _NAMED, aliases[stance.holder]
            else:
                # Holders without a name are counted together, in no row.
                kind, name = _NOT_NAMED, ""
            stance_counts[kind, name, aliases[stance.target], stance.label] += 1
        insert(
            "INSERT INTO stance VALUES (?, ?, ?, ?, ?, ?)",
            [(*key, number, count) for key, count in stance_counts.items()],
        )

    def close(self) -> None:
        """Delete the counts."""
        self._database.close()

    def values(self) -> dict[str, Any]:
        """Return the values of the index's template; ``articles`` is an iterator over its rows."""
        query = self._database.execute
        self._database.executescript(_INDEXES)
        label_rows = query("SELECT label FROM stance GROUP BY label ORDER BY label")
        labels = stance_labels(name for (name,) in label_rows)
        target_rows = query(f"{_TARGETS} LIMIT {COLUMNS}")
        targets = [Target(number, name) for number, (name, *_) in enumerate(target_rows)]
        holders = []
        holder_rows = query(f"{_HOLDERS} LIMIT {MOST_ROWS}")
        for number, (kind, name, *_) in enumerate(holder_rows):
            is_name = kind == _NAMED
            holder = Holder(number, name if is_name else TEXT_ITSELF, is_name, f"#h{number}")
            holders.append(_IndexedHolder(kind, name, holder))
        matrix = self._matrix(holders, targets, labels)
        in_matrix = {row.holder.number for row in (*matrix.rows, *matrix.more)}
        by_source = []  # the first pages that mention each holder, with its stances on each
        for indexed in holders:
            if indexed.holder.number not in in_matrix:
                continue
            key = {"kind": indexed.kind, "holder": indexed.name}
            articles = query(_WHERE, key).fetchall()
            pages = []
            for number, file, facts in articles[:PAGES]:
                counts = dict(query(_OF_ARTICLE, (indexed.kind, indexed.name, number)))
                present = [label for label in labels.values() if label.name in counts]
                stances = [(label, counts[label.name]) for label in present]
                pages.append((file, json.loads(facts)["title"], stances))
            by_source.append(SourcePages(indexed.holder, len(articles), pages))
        return {
            "model": self._model,
            "labels": list(labels.values()),
            "matrix": matrix,
            "totals": self._totals(),
            "shown": {"targets": len(matrix.columns), "holders": len(in_matrix)},
            "by_source": by_source,
            "articles": self._article_rows(),
        }

    def _matrix(
        self,
        holders: list[_IndexedHolder],
        targets: list[Target],
        labels: dict[str, StanceLabel],
    ) -> Matrix:
        """Return the matrix of the holders and targets with the most stances."""
        columns = {target.name: target for target in targets}
        cells: dict[tuple[int, int], Cell] = {}
        for indexed in holders:
            holder = indexed.holder
            counts: dict[str, list[Count]] = defaultdict(list)
            rows = self._database.execute(_CELLS, (indexed.kind, indexed.name))
            for target, label_name, count in rows:
                if target in columns:
                    title = f"{holder.name} → {target}: {count} {label_name}"
                    counts[target].append(Count(labels[label_name], count, holder.href, title))
            for target, cell in counts.items():
                cell.sort(key=lambda count: count.label.number)
                cells[holder.number, columns[target].number] = tuple(cell)
        heads = [indexed.holder for indexed in holders]
        return build_matrix(heads, targets, cells, columns=COLUMNS, rows=FIRST_ROWS)

    def _article_rows(self) -> Iterator[ArticleRow]:
        """Yield the rows of the list of articles."""
        rows = self._database.execute("SELECT file, facts FROM article ORDER BY number")
        for file, facts in rows:
            yield ArticleRow(file=file, **json.loads(facts))

    def _totals(self) -> ArticleRow:
        """Return the sums over all articles; sources, targets and holders count once in all of them."""
        sums: Counter[str] = Counter()
        stances: Counter[str] = Counter()
        for row in self._article_rows():
            sums.update(
                sentences=row.sentences, attributions=row.attributions, warnings=row.warnings
            )
            stances.update(row.stances)
        query = self._database.execute
        ((sources,),) = query("SELECT COUNT(DISTINCT holder) FROM speaks")
        of_matrix = f"FROM stance WHERE kind <> {_NOT_NAMED}"
        ((targets,),) = query(f"SELECT COUNT(DISTINCT target) {of_matrix}")
        ((holders,),) = query(f"SELECT COUNT(*) FROM (SELECT DISTINCT kind, holder {of_matrix})")
        return ArticleRow(
            sentences=sums["sentences"],
            attributions=sums["attributions"],
            warnings=sums["warnings"],
            sources=sources,
            stances=dict(stances),
            articles=self.articles,
            targets=targets,
            holders=holders,
        )
