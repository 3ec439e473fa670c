"""Public corpora, a file each. None of their text comes with the package: point ``data.corpora`` at your copies."""

from claimstance.model.errors import ConfigError, unknown
from claimstance.training.data.corpora import (
    checkthat2024,
    dse,
    gwsd,
    newsmtsc,
    newssd,
    polnear,
    polnear_stance,
    vast,
)
from claimstance.training.data.corpora.base import Corpus

CORPORA: dict[str, Corpus] = {
    module.CORPUS.name: module.CORPUS
    for module in (polnear, polnear_stance, dse, newsmtsc, checkthat2024, vast, gwsd, newssd)
}


def lookup(name: str) -> Corpus:
    """Return the corpus with a name.

    Raises:
        ConfigError: if no corpus has the name; the message has the most similar one.
    """
    if name not in CORPORA:
        raise ConfigError(unknown("corpus", name, CORPORA))
    return CORPORA[name]


__all__ = ["CORPORA", "Corpus", "lookup"]
