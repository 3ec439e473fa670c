"""Checks of the corpora and the models that are configured for soft labels and hard negatives."""

from collections.abc import Iterable, Sequence

from claimstance.model.config import ModelConfig
from claimstance.model.errors import ConfigError, unknown
from claimstance.model.record import Record


def require_corpora(names: Iterable[str], records: Sequence[Record], setting: str) -> None:
    """Raise ``ConfigError``, with a message that begins with ``setting``, for a corpus without records."""
    corpora = sorted({str(record.meta.get("corpus")) for record in records})
    for name in names:
        if name not in corpora:
            raise ConfigError(f"{setting}: {unknown('corpus', name, corpora)}")


def require_opinion_heads(config: ModelConfig, setting: str) -> None:
    """Raise ``ConfigError``, with a message that begins with ``setting``, if a model detects no holders and targets."""
    if not config.opinion_heads:
        raise ConfigError(
            f"{setting}: expected a model that finds holders and targets of stances, found one without these heads"
        )
