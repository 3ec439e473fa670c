"""Annotated sentences in, a fine-tuned and evaluated model out."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from claimstance.training.api import build_dataset, evaluate, train

__all__ = ["build_dataset", "evaluate", "train"]


def __getattr__(name: str) -> Any:
    # Submodules that load no torch are imported through this package, so it must not load any itself.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.api"), name)
