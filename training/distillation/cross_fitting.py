"""Cross-fitting: each fold of the train documents gets its soft labels from a model that did not train on it.

What a teacher says of sentences that it was trained on is little more than their labels; of those that it never saw, it
says what it thinks (out-of-fold predictions, as in Wolpert's stacked generalization, 1992).
"""

from collections.abc import Sequence
from pathlib import Path

from claimstance.model.errors import ConfigError
from claimstance.training.load_config import load_config


def check_folds(models: Sequence[Path]) -> None:
    """Hold cross-fitted models to what the configurations in their folders say they left out.

    Raises:
        ConfigError: naming the first one that was trained on the fold that it is to tell of.
    """
    for fold, folder in enumerate(models):
        try:
            found = load_config(folder / "config.yaml").training.held_out_fold
        except ConfigError as error:
            raise ConfigError(f"data.teachers: {error}") from None
        if found is None or (found.fold, found.folds) != (fold, len(models)):
            how = f"without fold {found.fold} of {found.folds}" if found else "on all"
            raise ConfigError(
                f"data.teachers: {folder}: expected a model trained without fold {fold} of "
                f"{len(models)}, found one trained {how}"
            )
