"""Articles from what a caller of ``Tagger`` passes: texts, articles, a column of a data frame."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePath
from typing import Any

from claimstance.inference.articles.article import Article, check_characters
from claimstance.model.errors import ClaimstanceError, InputError, plural

log = logging.getLogger(__name__)
Item = str | Article | ClaimstanceError | None
_MAX_ROWS_LISTED = 5  # rows without a text that a warning names


def check_text(text: object) -> str:
    """Return ``text``, the text of one article.

    Raises:
        TypeError: for anything else, with what to do about it.
    """
    if isinstance(text, str):
        return text
    advice = "pass the text itself"
    if isinstance(text, bytes | bytearray):
        advice = "decode it first, as in data.decode('utf-8')"
    elif isinstance(text, PurePath):
        advice = "pass what stands in it, as in path.read_text(encoding='utf-8')"
    elif isinstance(text, Article):
        advice = "pass article.text, or all articles to tag_all"
    elif hasattr(text, "read"):
        advice = "pass what stands in the file, as in file.read()"
    elif _is_missing(text):
        advice = "there is no text to tag"
    elif _is_table(text):
        advice = "pass a column with the texts to tag_many, as in tag_many(frame['body'])"
    elif isinstance(text, Iterable) and not isinstance(text, Mapping):
        advice = "pass several texts to tag_many, or each to tag"
    raise TypeError(f"tag: expected the text of one article (str), found {_kind(text)}: {advice}")


def check_articles(articles: object) -> Iterable[Item]:
    """Return ``articles``, an iterable of texts or articles.

    Raises:
        TypeError: for anything else, with what to do about it.
    """
    advice = "pass a list of them"
    if isinstance(articles, str):
        advice = "pass a list, [text], or one text to tag"
    elif isinstance(articles, bytes | bytearray):
        advice = "pass a list of decoded texts"
    elif isinstance(articles, PurePath):
        advice = "pass read_articles([path]) of claimstance.inference.articles.sources"
    elif isinstance(articles, Article):
        advice = "pass a list, [article]"
    elif hasattr(articles, "read"):
        advice = "pass what stands in the file to tag, as in file.read()"
    elif _is_table(articles):
        advice = "pass a column with the texts, as in frame['body']"
    elif isinstance(articles, Mapping):
        advice = "pass its values, as in list(texts.values())"
    elif isinstance(articles, Iterable):
        return articles
    raise TypeError(f"expected several texts or articles, found {_kind(articles)}: {advice}")


def check_targets(targets: object) -> list[str]:
    """Return ``targets`` as a list, each once.

    Raises:
        TypeError: if they are not a name or several names.
        InputError: if a target is blank, or cannot be encoded (half of a surrogate pair).
    """
    if isinstance(targets, str):
        targets = [targets]
    if not isinstance(targets, Iterable) or isinstance(targets, bytes | bytearray):
        raise TypeError(
            f"targets: expected a name or a list of names (str), found {_kind(targets)}"
        )
    names = list(targets)
    for number, name in enumerate(names):
        if not isinstance(name, str):
            raise TypeError(f"targets[{number}]: expected a name (str), found {_kind(name)}")
    if not all(name.strip() for name in names):
        raise InputError("targets: expected names or topics, found a blank one")
    check_characters("targets", *names)
    return list(dict.fromkeys(names))


def iterate_articles(articles: Iterable[Item]) -> Iterator[Article | ClaimstanceError]:
    """Yield articles and errors as they are, texts as articles whose id is their place, or their label in a column.

    A missing text (``None``, NaN) is an article without a sentence and with a warning, so that results and rows stay in
    step; the log has one line for all of them.

    Raises:
        InputError: for a text that cannot be encoded.
        TypeError: for an item that is neither, naming it.
    """
    # A pandas column has labels of its own.
    if hasattr(articles, "index") and hasattr(articles, "items"):
        pairs: Iterable[tuple[Any, Item]] = articles.items()
    else:
        pairs = enumerate(articles)

    missing: list[str] = []
    for key, item in pairs:
        label = str(key)
        if isinstance(item, Article | ClaimstanceError):
            yield item
        elif isinstance(item, str):
            check_characters(f"row {label}", item)
            yield Article(label, item)
        elif _is_missing(item):
            missing.append(label)
            warning = f"row {label}: expected a text, found none ({_kind(item)}): nothing read"
            yield Article(label, "", warnings=(warning,))
        else:
            raise TypeError(f"row {label}: expected a text (str), found {_kind(item)}")
    if missing:
        rows = ", ".join(missing[:_MAX_ROWS_LISTED])
        if len(missing) > _MAX_ROWS_LISTED:
            rows += f" and {len(missing) - _MAX_ROWS_LISTED} more"
        log.warning("%s without a text (%s): nothing to read", plural(len(missing), "row"), rows)


def _is_missing(item: object) -> bool:
    """Return whether an item stands for no value, in Python, numpy or pandas."""
    is_nan = isinstance(item, float) and item != item  # only NaN differs from itself
    # The types of pandas are compared by name, since pandas need not be installed.
    return item is None or is_nan or type(item).__name__ in ("NAType", "NaTType")


def _is_table(value: object) -> bool:
    """Return whether a value is a data frame, of pandas or another library."""
    return hasattr(value, "columns") and not isinstance(value, Mapping)


def _kind(value: object) -> str:
    """Return what an error says was found."""
    if isinstance(value, float) and value != value:
        return "NaN"
    return "None" if value is None else f"a value of type {type(value).__name__}"
