"""Building datasets, training and evaluating from Python.

Each function takes a configuration object or the same settings as keyword arguments; ``docs/training-api.md``
shows all three in one program.
"""

from pathlib import Path
from typing import Any

from claimstance.model.errors import ConfigError
from claimstance.training.config import Config
from claimstance.training.data.config import DataConfig
from claimstance.training.data.report.report import BuildReport
from claimstance.training.evaluation.result import Evaluation
from claimstance.training.load_config import parse_config, parse_data_config


def build_dataset(
    *files: Path | str,
    out: Path | str,
    config: DataConfig | None = None,
    overwrite: bool = False,
    **settings: Any,
) -> BuildReport:
    """Build a dataset from annotated files.

    Args:
        *files: annotated files, or folders of them.
        out: the folder of the dataset.
        config: the whole data section, in place of files and settings.
        overwrite: replace a dataset that is in ``out``.
        **settings: keys of a source (``task``, ``target``, ``columns``, ``values``, …) or of the data
            section (``split``, ``adjudicate``, ``codebook``, …), as in a configuration file.

    Returns:
        The report: rows, labels and splits, warnings, and the agreement of annotators.

    Raises:
        ConfigError: for settings that are wrong, or given beside ``config``.
        InputError: naming the file, the row and what was expected there.
    """
    from claimstance.training.data.config import Source
    from claimstance.training.pipeline import build_configured_dataset

    if config is not None:
        if files or settings:
            raise ConfigError("build_dataset: expected a config or files and settings, found both")
        return build_configured_dataset(config, Path(out), overwrite=overwrite)
    source = {}
    for key in list(settings):
        # ``split`` names one split for all rows, or holds the settings of a division.
        is_division = key == "split" and isinstance(settings[key], dict)
        if key in Source.model_fields and not is_division:
            source[key] = settings.pop(key)
    source["files"] = [str(file) for file in files]
    values = {"path": str(out), "sources": [source], **settings}
    return build_configured_dataset(
        parse_data_config(values, "build_dataset"), Path(out), overwrite=overwrite
    )


def train(config: Config | None = None, *, resume: bool = False, **settings: Any) -> Path:
    """Train a model, calibrate it on the dev split, and export it.

    Args:
        config: the whole configuration, in place of settings.
        resume: continue from the last checkpoint in the output folder.
        **settings: the top-level keys of a configuration (``name``, ``output``, ``data``, ``model``,
            ``training``), with mappings as values.

    Returns:
        The folder of the model, which ``Tagger.from_pretrained`` and ``evaluate`` accept.

    Raises:
        ConfigError: for settings that are wrong, or given beside ``config``.
        InputError: if the dataset has nothing to train on.
    """
    from claimstance.training.pipeline import run

    if config is not None and settings:
        raise ConfigError("train: expected a config or settings, found both")
    return run(config or parse_config(settings, "train"), resume)


def evaluate(
    model: Path | str | None = None,
    *,
    data: Path | str,
    split: str = "test",
    baselines: bool = False,
) -> Evaluation:
    """Score a model on a split of a dataset.

    Args:
        model: ``small`` or ``base``, a model folder, or a name on the Hugging Face hub; ``base`` if ``None``.
        data: the folder of the dataset.
        split: the split to score on.
        baselines: also fit and score baselines, on the dataset's train split.

    Returns:
        The evaluation; ``evaluation.account["results"]`` maps ``corpus/task`` to metrics with intervals.

    Raises:
        ModelError: if there is no such model.
        InputError: if the dataset has no such split, or labels that the model does not know.
    """
    from claimstance.training.evaluate_model import evaluate_model

    return evaluate_model(model, Path(data), split, baselines=baselines)
