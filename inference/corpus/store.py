"""A database on disk with the statements and stances of a corpus, for figures that SQL computes.

Stances from which the model abstains, and neutral ones, are stored, but count in no figure.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from claimstance.inference.corpus.consistency import ConsistencyChecks
from claimstance.inference.corpus.dates import parse_date
from claimstance.inference.corpus.name_groups import mentions
from claimstance.inference.corpus.names import NOT_NAMED, is_named, merge_names, read_names
from claimstance.inference.corpus.results_reader import read_results, unfinished_runs
from claimstance.inference.grouping import name_aliases
from claimstance.inference.results import Sentence, TaggedArticle
from claimstance.model.errors import ClaimstanceError, InputError, shorten
from claimstance.model.labels import CLAIM

#: ``name.merged`` is the name across articles. ``statement.name`` is NULL for a source that is not named;
#: ``stance.holder`` is NULL for the text itself, and the name ``NOT_NAMED`` for a holder that is not named.
_TABLES = """
    CREATE TABLE article (
        number INTEGER PRIMARY KEY, doc_id TEXT, title TEXT, outlet TEXT, date TEXT, url TEXT, page TEXT,
        sentences INTEGER, claims INTEGER, words INTEGER, warnings INTEGER
    );
    CREATE TABLE name (id INTEGER PRIMARY KEY, name TEXT UNIQUE, merged TEXT);
    CREATE TABLE statement (
        article INTEGER, sentence INTEGER, name INTEGER, cue TEXT, content TEXT, words INTEGER,
        probability REAL, text TEXT, is_claim INTEGER
    );
    CREATE TABLE stance (
        article INTEGER, sentence INTEGER, holder INTEGER, target INTEGER, label TEXT, probability REAL,
        abstained INTEGER, text TEXT
    );
"""
_INDEXES = """
    CREATE INDEX article_of_day ON article (date);
    CREATE INDEX name_merged ON name (merged);
    CREATE INDEX statement_article ON statement (article);
    CREATE INDEX statement_name ON statement (name);
    CREATE INDEX stance_article ON stance (article);
    CREATE INDEX stance_pair ON stance (holder, target);
    CREATE INDEX stance_target ON stance (target);
"""
_ARTICLE = "INSERT INTO article VALUES (?, ?, ?, ?, ?, ?, NULL, ?, ?, ?, ?)"
_NAME = "INSERT OR IGNORE INTO name (name, merged) VALUES (?, ?)"
_ID = "(SELECT id FROM name WHERE name = ?)"
_STATEMENT = f"INSERT INTO statement VALUES (?, ?, {_ID}, ?, ?, ?, ?, ?, ?)"
_STANCE = f"INSERT INTO stance VALUES (?, ?, {_ID}, {_ID}, ?, ?, ?, ?)"
_BATCH = 200  # articles in one transaction


class Store:
    """Hold the tagged articles of a corpus in a temporary SQLite database, which is deleted on closing.

    Attributes:
        connection: the database.
        models: the models that tagged the articles, each with ``name``, ``version`` and ``sha256``.
        warnings: oddities of the corpus, one sentence or two each.
    """

    def __init__(self) -> None:
        # A database without a name lives in a temporary file, which SQLite deletes on closing.
        self.connection = sqlite3.connect("")
        self.connection.executescript(
            f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; {_TABLES} {mentions.TABLES}"
        )
        self.models: list[dict[str, str]] = []
        self.warnings: list[str] = []

    @classmethod
    def build(
        cls,
        paths: Sequence[str | Path],
        names: str | Path | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> "Store":
        """Return a store of the articles in files and folders of results.

        Args:
            paths: JSON Lines or Parquet files that ``claimstance tag`` wrote, and folders of them.
            names: a table of names across articles, see ``read_names``; names that it lacks are merged
                as without it.
            progress: called for each article with the bytes that it takes in its file; see
                ``results_size`` for their sum.

        Raises:
            InputError: if a file cannot be read or a line is not a tagged article.
            ClaimstanceError: if the database cannot be written.
        """
        edited = {} if names is None else read_names(Path(names))
        store = cls()
        try:
            store._fill([Path(path) for path in paths], edited, progress)
        except sqlite3.Error as error:
            store.close()
            raise ClaimstanceError(
                f"the results cannot be stored in a temporary database: {error}"
            ) from None
        except BaseException:
            store.close()
            raise
        return store

    def __enter__(self) -> "Store":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Delete the database."""
        self.connection.close()

    def _fill(
        self,
        paths: Sequence[Path],
        edited: Mapping[str, str],
        progress: Callable[[int], None] | None,
    ) -> None:
        """Add the articles of files and folders, merge their names, and collect the warnings."""
        checks = ConsistencyChecks()
        number = 0
        for result in read_results(paths):
            article = result.article
            if not checks.is_repeated(article):
                number += 1
                day = parse_date(article.meta.get("date"))
                checks.record(article, day)
                self._add(number, article, day)
                if number % _BATCH == 0:
                    self.connection.commit()
            if progress is not None:
                progress(result.size)
        if not number:
            listed = ", ".join(map(str, paths)) or "no file"
            raise InputError(f"{listed}: expected at least one tagged article, found none")
        # Building an index once, over all rows, is faster than updating it with each.
        self.connection.executescript(_INDEXES)
        missing = merge_names(self.connection, edited)
        self.connection.commit()
        self.models = checks.models
        self.warnings = [
            f"{folder}: the run of tag that writes to this folder is not finished; the same command resumes it"
            for folder in unfinished_runs(paths)
        ]
        self.warnings += checks.warnings()
        if len(missing) == 1:
            self.warnings.append(
                f"1 name in the table of names does not occur in the results: {shorten(missing[0])!r}"
            )
        elif missing:
            self.warnings.append(
                f"{len(missing):,} names in the table of names do not occur in the results, such as "
                f"{shorten(missing[0])!r}"
            )

    def _add(self, number: int, article: TaggedArticle, day: str | None) -> None:
        """Add the rows of an article."""
        aliases = name_aliases(article.sentences)
        statements = list(_statement_rows(number, article, aliases))
        stances = list(_stance_rows(number, article, aliases))
        names = {source for _, _, source, *_ in statements}
        for _, _, holder, target, *_ in stances:
            names |= {holder, target}
        names -= {None, ""}  # sources without a name, and the text itself as a holder
        claims = [sentence for sentence in article.sentences if _is_claim(sentence)]
        meta = article.meta
        row = (
            number,
            article.doc_id,
            article.title,
            _as_text(meta.get("outlet")) or "",
            day,
            _as_text(meta.get("url")),
            len(article.sentences),
            len(claims),
            len(article.text.split()),
            len(article.warnings),
        )
        insert = self.connection.executemany
        mentions.add_mentions(self.connection, article.sentences, aliases)
        insert(_ARTICLE, [row])
        # Statements and stances look up the ids of names, which must be there before. Sorted, so that
        # the ids, which settle ties in reports, are the same each time.
        insert(_NAME, [(name, name) for name in sorted(names)])
        insert(_STATEMENT, statements)
        insert(_STANCE, stances)


def _statement_rows(
    number: int, article: TaggedArticle, aliases: Mapping[str, str]
) -> Iterator[tuple[Any, ...]]:
    """Yield a row for each attribution, once even where several sentences list it."""
    seen = set()
    for sentence in article.sentences:
        for attribution in sentence.attributions or ():
            key = (attribution.source, attribution.cue, attribution.content)
            if key in seen:
                continue
            seen.add(key)
            name = None
            if attribution.source and attribution.source.name:
                fullest = aliases[attribution.source.name]
                if fullest and is_named(fullest):
                    name = fullest
            words = 0  # of the content, without those between its pieces
            if attribution.content is not None:
                for start, end in attribution.content.pieces:
                    words += len(article.text[start:end].split())
            yield (
                number,
                sentence.index,
                name,
                attribution.cue and attribution.cue.text,
                attribution.content and attribution.content.text,
                words,
                attribution.probability,
                sentence.text,
                _is_claim(sentence),
            )


def _stance_rows(
    number: int, article: TaggedArticle, aliases: Mapping[str, str]
) -> Iterator[tuple[Any, ...]]:
    """Yield a row for each stance."""
    for sentence in article.sentences:
        for stance in sentence.stances:
            holder = stance.holder
            if holder:
                fullest = aliases[holder]
                holder = fullest if is_named(fullest) else NOT_NAMED
            yield (
                number,
                sentence.index,
                holder,
                aliases[stance.target],
                stance.label,
                stance.probability,
                stance.abstained,
                sentence.text,
            )


def _is_claim(sentence: Sentence) -> bool | None:
    """Return whether a sentence is a claim; ``None`` if the model does not tell."""
    return None if sentence.claim is None else sentence.claim.label == CLAIM[1]


def _as_text(value: Any) -> str | None:
    """Return texts unchanged, and other values as JSON."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
