"""A corpus of tagged articles as pandas data frames; docs/corpus.md lists their columns."""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from claimstance.inference.corpus.names import COUNTED, NOT_NAMED, write_names
from claimstance.inference.corpus.store import Store
from claimstance.inference.writers.frames import DTYPES, import_pandas
from claimstance.inference.writers.rows import Column

if TYPE_CHECKING:
    from pandas import DataFrame

_OF_ARTICLE = (
    Column("article", "integer", "number of the article in the corpus, from 1"),
    Column("doc_id", "text", "its id"),
    Column("outlet", "text", "its outlet; empty if unknown"),
    Column("date", "day", "its day; missing if unknown or not understood"),
)
ARTICLES = (
    *_OF_ARTICLE,
    Column("title", "text", "its title; missing if it has none"),
    Column("url", "text", "its address; missing if unknown"),
    Column("sentences", "integer", "number of its sentences"),
    Column("claims", "integer", "number of its sentences that are claims"),
    Column("words", "integer", "number of its words"),
    Column("warnings", "integer", "number of warnings from tagging it"),
)
STATEMENTS = (
    *_OF_ARTICLE,
    Column("sentence", "integer", "index of the sentence that reports the statement"),
    Column("source", "text", "name of the source across articles; missing if it is not named"),
    Column("name", "text", "fullest form of this name in the article"),
    Column("cue", "text", "words that mark the report, such as *said*"),
    Column("content", "text", "what the source says"),
    Column("words", "integer", "number of words of the content"),
    Column("probability", "number", "probability of the attribution"),
    Column("is_claim", "flag", "whether the sentence is a claim"),
    Column("text", "text", "the sentence"),
)
STANCES = (
    *_OF_ARTICLE,
    Column("sentence", "integer", "index of the sentence that expresses the stance"),
    Column("holder", "text", "name of the holder across articles; missing for the text itself"),
    Column("target", "text", "name of the target across articles"),
    Column("holder_name", "text", "fullest form of the holder's name in the article"),
    Column("target_name", "text", "fullest form of the target's name in the article"),
    Column("label", "text", "`favor`, `against` or `neutral`, or a label of the model's own"),
    Column("probability", "number", "probability of that label"),
    Column("abstained", "flag", "whether the model is too unsure for it to count"),
    Column("text", "text", "the sentence"),
)
SOURCES = (
    Column("source", "text", "name across articles"),
    Column("statements", "integer", "number of its statements"),
    Column("claims", "integer", "number of those whose sentence is a claim"),
    Column("words", "integer", "number of words that are quoted or reported from it"),
    Column("articles", "integer", "number of articles with a statement of it"),
    Column("outlets", "integer", "number of their outlets"),
    Column("stances", "integer", "number of stances that it holds and that take a side"),
)
_ARTICLES = """
    SELECT number, doc_id, outlet, date, title, url, sentences, claims, words, warnings
    FROM article ORDER BY number
"""
_STATEMENTS = """
    SELECT article, doc_id, outlet, date, sentence, merged, name.name, cue, content, statement.words,
        probability, is_claim, text
    FROM statement JOIN article ON number = article LEFT JOIN name ON name.id = statement.name
    ORDER BY statement.rowid
"""
_STANCES = f"""
    SELECT article, doc_id, outlet, date, sentence, holder.merged, target.merged, holder.name, target.name,
        label, probability, abstained, text
    FROM stance JOIN article ON number = article
    LEFT JOIN name AS holder ON holder.id = stance.holder
    JOIN name AS target ON target.id = stance.target
    WHERE :all OR ({COUNTED})
    ORDER BY stance.rowid
"""
_SOURCES = """
    SELECT merged, COUNT(*) AS statements, SUM(is_claim), SUM(statement.words), COUNT(DISTINCT article),
        COUNT(DISTINCT NULLIF(outlet, '')),
        COALESCE((SELECT stances FROM held WHERE held.merged = name.merged), 0)
    FROM statement JOIN article ON number = article JOIN name ON name.id = statement.name
    WHERE merged <> :not_named GROUP BY merged ORDER BY statements DESC, merged
"""
_HELD = f"""
    CREATE TEMP TABLE IF NOT EXISTS held AS
    SELECT merged, COUNT(*) AS stances FROM stance JOIN name ON name.id = holder
    WHERE {COUNTED} GROUP BY merged
"""


class Corpus:
    """Give the results of many articles as data frames, with one name for one person across articles.

    The results lie in a temporary database on disk, which ``close``, or the end of a ``with`` block, deletes.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    @classmethod
    def from_results(
        cls, paths: str | Path | Sequence[str | Path], names: str | Path | None = None
    ) -> "Corpus":
        """Return the corpus of the results in JSON Lines or Parquet files, and in folders of them.

        Args:
            paths: what ``claimstance tag --format jsonl`` wrote: a file or folder, or several.
            names: a table of names that ``write_names`` wrote and that you edited.

        Raises:
            InputError: if a file cannot be read or a line is not a tagged article.
            ConfigError: if pandas is not installed.
        """
        import_pandas()
        if isinstance(paths, (str, Path)):
            paths = [paths]
        return cls(Store.build(paths, names))

    @property
    def models(self) -> list[dict[str, str]]:
        """Return the models that tagged the articles, each with ``name``, ``version`` and ``sha256``."""
        return self._store.models

    @property
    def warnings(self) -> list[str]:
        """Return oddities of the results: articles that came twice, several models, dates that are missing."""
        return self._store.warnings

    def articles(self) -> "DataFrame":
        """Return one row per article."""
        return self._frame(ARTICLES, _ARTICLES)

    def statements(self) -> "DataFrame":
        """Return one row per statement: who says what."""
        return self._frame(STATEMENTS, _STATEMENTS)

    def stances(self, all_rows: bool = False) -> "DataFrame":
        """Return one row per stance that takes a side.

        Args:
            all_rows: whether to return the neutral stances, and those that the model is unsure of, too.
        """
        return self._frame(STANCES, _STANCES, {"all": all_rows})

    def sources(self) -> "DataFrame":
        """Return one row per named source, the one with most statements first."""
        self._store.connection.execute(_HELD)
        return self._frame(SOURCES, _SOURCES, {"not_named": NOT_NAMED})

    def write_names(self, path: str | Path) -> None:
        """Write the table of names, to be edited and passed to ``from_results``.

        Raises:
            ClaimstanceError: if the file cannot be written.
        """
        write_names(self._store, Path(path))

    def close(self) -> None:
        """Delete the temporary database."""
        self._store.close()

    def __enter__(self) -> "Corpus":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        """Return one line with counts."""
        query = self._store.connection.execute
        ((articles, statements, stances),) = query(
            "SELECT (SELECT COUNT(*) FROM article), (SELECT COUNT(*) FROM statement), "
            f"(SELECT COUNT(*) FROM stance WHERE {COUNTED})"
        )
        return f"<Corpus: {articles:,} articles, {statements:,} statements, {stances:,} stances>"

    def _frame(
        self, columns: Sequence[Column], query: str, values: dict[str, object] | None = None
    ) -> "DataFrame":
        """Return the rows of a query as a data frame with these columns."""
        pandas = import_pandas()
        rows = self._store.connection.execute(query, values or {}).fetchall()
        series = {}
        for number, column in enumerate(columns):
            cells = [row[number] for row in rows]
            if column.kind == "flag":
                cells = [None if cell is None else bool(cell) for cell in cells]
            series[column.name] = pandas.Series(cells, dtype=DTYPES[column.kind])
        return pandas.DataFrame(series)
