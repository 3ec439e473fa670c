"""Results as pandas data frames."""

from typing import TYPE_CHECKING, Any

from claimstance.inference.results import TaggedArticle
from claimstance.inference.writers.rows import TABLES, meta_values
from claimstance.model.errors import ConfigError, unknown

if TYPE_CHECKING:
    from pandas import DataFrame

#: Kind of column → pandas type. Integers and flags may be missing; lists are Python lists.
DTYPES = {
    "text": "string",
    "integer": "Int64",
    "number": "Float64",
    "flag": "boolean",
    "day": "datetime64[s]",
    "texts": "object",
    "attributions": "object",
}


def import_pandas() -> Any:
    """Return the module pandas.

    Raises:
        ConfigError: if it is not installed.
    """
    try:
        import pandas
    except ImportError:
        raise ConfigError("this needs 'pandas': pip install 'claimstance[frames]'") from None
    return pandas


def to_frame(article: TaggedArticle, rows: str) -> "DataFrame":
    """Return an article as a data frame, with the columns of the table and those for its metadata.

    Args:
        article: the article.
        rows: the kind of rows, a key of ``claimstance.inference.writers.rows.TABLES``.

    Raises:
        ConfigError: if pandas is not installed, or the kind of rows does not exist.
    """
    pandas = import_pandas()
    table = TABLES.get(rows)
    if table is None:
        raise ConfigError(unknown("kind of rows", rows, TABLES))
    records = list(table.rows(article))
    columns = {}
    for column in table.columns:
        values = [record[column.name] for record in records]
        columns[column.name] = pandas.Series(values, dtype=DTYPES[column.kind])
    for name, value in meta_values(article.meta, table.own_meta).items():
        columns[name] = pandas.Series([value] * len(records), dtype="object")
    return pandas.DataFrame(columns)
