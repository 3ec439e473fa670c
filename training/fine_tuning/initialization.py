"""The network that training begins with: its heads are new, or those of another model."""

import logging
from collections.abc import Mapping
from dataclasses import replace

from claimstance.model.bundled import FAST_MODEL
from claimstance.model.errors import ConfigError, unknown
from claimstance.model.io.encoders import is_local
from claimstance.model.network import ClaimStanceModel
from claimstance.training.calibration.kind_calibration import without_calibration
from claimstance.training.config import AUTO, Config
from claimstance.training.fine_tuning.checkpoints import init_folder

log = logging.getLogger(__name__)


def new_model(
    config: Config, tasks: tuple[str, ...], labels: Mapping[str, tuple[str, ...]]
) -> tuple[ClaimStanceModel, str | None]:
    """Return a network with all weights trainable, and the name of the model that they are initialized from, if any.

    An initial model brings its encoder along. The configured encoder, if it is on this machine, is loaded for
    comparison only, so that no hub is needed.

    Raises:
        ConfigError: if the encoder, or a model of another encoder than the configured one, cannot be loaded.
    """
    fields = {
        "tasks": tasks,
        "labels": dict(labels),
        "max_tokens": config.model.max_tokens,
        "dropout": config.model.dropout,
        "name": config.name,
        "version": config.version,
        "opinion_spans": "stance" in tasks and bool(config.training.exhaustive_stances),
    }
    init_from = config.model.init_from
    if init_from is None:
        return ClaimStanceModel.from_encoder(config.model.encoder, fields), None

    source = ClaimStanceModel.from_pretrained(init_folder(init_from))
    is_default = "encoder" not in config.model.model_fields_set
    if init_from == AUTO or is_default or is_local(config.model.encoder):
        pretrained = ClaimStanceModel.from_encoder(config.model.encoder, fields)
        if not pretrained.has_encoder_of(source):
            if init_from != AUTO:
                raise ConfigError(
                    f"model.init_from: expected a model with the encoder {config.model.encoder}, found another"
                )
            log.info(
                "model.init_from: training begins with %s, which the bundled model %s does not have",
                config.model.encoder,
                FAST_MODEL,
            )
            return pretrained, None
    model = ClaimStanceModel.with_encoder_of(source, fields)
    log.info("model.init_from: training begins with the weights of %s", source.config.name)
    return model, source.config.name


def load_trainable_heads(
    config: Config, tasks: tuple[str, ...], labels: Mapping[str, tuple[str, ...]]
) -> tuple[ClaimStanceModel, str | None]:
    """Return the model of ``model.init_from`` with all but the heads of ``tasks`` frozen, and its name.

    Raises:
        ConfigError: if that model has other windows, lacks one of the tasks, or has other labels for it.
    """
    model = ClaimStanceModel.from_pretrained(init_folder(config.model.init_from))
    source = model.config
    if source.max_tokens != config.model.max_tokens:
        raise ConfigError(
            f"model.max_tokens: expected {source.max_tokens} as in model.init_from, found "
            f"{config.model.max_tokens}"
        )
    for task in tasks:
        if task not in source.tasks:
            raise ConfigError(f"training.trainable_tasks: {unknown('task', task, source.tasks)}")
        if labels.get(task) != source.labels.get(task):
            raise ConfigError(
                f"training.trainable_tasks: expected the labels of model.init_from for '{task}' "
                f"({', '.join(source.labels[task])}), found {', '.join(labels.get(task, ()))}"
            )
    model.config = replace(
        without_calibration(source, tasks), name=config.name, version=config.version
    )
    model.freeze_except(tasks, config.model.dropout)
    return model, source.name
