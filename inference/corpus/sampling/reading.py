"""Reading of the articles that a sample is drawn from."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from claimstance.inference.corpus.results_reader import read_results
from claimstance.inference.corpus.sampling.units import article_digest
from claimstance.inference.results import TaggedArticle


def read_articles_once(
    paths: Sequence[Path], progress: Callable[[int], None] | None = None
) -> Iterator[TaggedArticle]:
    """Yield the articles of files and folders of results, each once, as a report counts them.

    Args:
        paths: JSON Lines or Parquet files that ``claimstance tag`` wrote, and folders of them.
        progress: called for each article with the bytes that it takes in its file.

    Raises:
        InputError: if a file or a line cannot be read.
    """
    seen: set[str] = set()
    for result in read_results(paths):
        digest = article_digest(result.article)
        if digest not in seen:
            seen.add(digest)
            yield result.article
        if progress is not None:
            progress(result.size)
