"""Results as pandas data frames."""

from typing import TYPE_CHECKING

from claimstance.inference.results import TaggedArticle
from claimstance.inference.writers.rows import TABLES, meta_values
from claimstance.model.errors import ConfigError, unknown

if TYPE_CHECKING:
    from pandas import DataFrame

#: Kind of column → pandas' type. Whole numbers and flags may be missing; lists are Python's.
_TYPES = {
    "text": "string",
    "integer": "Int64",
    "number": "Float64",
    "flag": "boolean",
    "texts": "object",
    "attributions": "object",
}


def to_frame(article: TaggedArticle, rows: str) -> "DataFrame":
    """Return an article as a frame, with the columns of ``rows.TABLES`` and those of ``meta``.

    A row is a sentence, a stance or an attribution.

    Raises:
        ConfigError: without pandas, or for other ``rows``.
    """
    try:
        import pandas
    except ImportError:
        raise ConfigError("this needs 'pandas': pip install 'claimstance[frames]'") from None
    table = TABLES.get(rows)
    if table is None:
        raise ConfigError(unknown("kind of rows", rows, TABLES))
    found = list(table.rows(article))
    columns = {
        column.name: pandas.Series([row[column.name] for row in found], dtype=_TYPES[column.kind])
        for column in table.columns
    }
    others = {
        name: pandas.Series([value] * len(found), dtype="object")
        for name, value in meta_values(article.meta, table.own_meta).items()
    }
    return pandas.DataFrame({**columns, **others})
