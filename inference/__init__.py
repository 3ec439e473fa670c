"""Tagging articles with a trained model, and reading the results. Needs onnxruntime and tokenizers; never torch."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from claimstance.inference.corpus.corpus import Corpus
    from claimstance.inference.results import Label, Sentence, Source, Stance, TaggedArticle
    from claimstance.inference.tagger import Tagger
    from claimstance.model.article.spans import Attribution, Entity, Span

__all__ = [
    "Attribution",
    "Corpus",
    "Entity",
    "Label",
    "Sentence",
    "Source",
    "Span",
    "Stance",
    "TaggedArticle",
    "Tagger",
]
#: Exported names that are not in the module ``results``.
_MODULES = {"Corpus": "corpus.corpus", "Tagger": "tagger"}


def __getattr__(name: str) -> Any:
    # The command line lies in this package: it should say what it can do before numpy and onnxruntime are loaded.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = _MODULES.get(name, "results")
    return getattr(import_module(f"{__name__}.{module}"), name)
