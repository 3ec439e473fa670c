"""Read who claims what in the news, and where each source stands.

This folder is installed as ``claimstance`` itself: ``package-dir`` in pyproject.toml puts ``inference``, ``model`` and
``training`` beside it. It loads nothing before a name is asked for, so that ``import claimstance`` costs nothing.
"""

from importlib import import_module, metadata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from claimstance.inference import (
        Attribution,
        Corpus,
        Entity,
        Label,
        Sentence,
        Source,
        Span,
        Stance,
        TaggedArticle,
        Tagger,
    )

    __version__: str

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
    "__version__",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return metadata.version("claimstance")
    if name in __all__:
        return getattr(import_module("claimstance.inference"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
