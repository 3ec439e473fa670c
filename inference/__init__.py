"""Tagging articles with a trained model. Needs onnxruntime and tokenizers; never torch."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from claimstance.inference.results import (
        Attribution,
        Entity,
        Label,
        Sentence,
        Source,
        Span,
        Stance,
        TaggedArticle,
    )
    from claimstance.inference.tagger import Tagger

__all__ = [
    "Attribution",
    "Entity",
    "Label",
    "Sentence",
    "Source",
    "Span",
    "Stance",
    "TaggedArticle",
    "Tagger",
]


def __getattr__(name: str) -> Any:
    # The command line lies in this package: it should say what it can do before numpy and onnxruntime are loaded.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{'tagger' if name == 'Tagger' else 'results'}"), name)
