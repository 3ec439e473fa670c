"""Reading a configuration: one YAML file, checked before any work is done.

``load_config`` reads the file and applies ``a.b=value`` from the command line. Its errors name the key, the expected
value and the value found.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from claimstance.model.errors import ConfigError, shorten
from claimstance.model.io.validation import explain, first_error
from claimstance.training.config import Config
from claimstance.training.data.config import DataConfig
from claimstance.training.data.read_yaml import parse_yaml, read_yaml

#: Keys of earlier versions → their names now.
RENAMED_KEYS = {
    "model.start": "model.init_from",
    "training.only": "training.trainable_tasks",
    "training.soft_share": "training.distillation_weight",
    "training.neighbours": "training.context_share",
    "training.alone": "training.isolated_share",
    "training.topics": "training.topic_share",
}


def load_config(path: Path | str, overrides: Sequence[str] = ()) -> Config:
    """Read a configuration file and apply ``overrides`` to it: ``a.b=value``, with the value as YAML.

    Raises:
        ConfigError: naming the file or the override, the key, what was expected and what was found.
    """
    path = Path(path)
    data = read_yaml(path)
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: expected keys with values, found {shorten(repr(data))}")
    overrides_by_key = {}
    for override in overrides:
        key = _apply(data, override)
        overrides_by_key[key] = override
    try:
        return Config.model_validate(data)
    except ValidationError as error:
        raise ConfigError(_explain(error, str(path), overrides_by_key)) from None


def parse_config(data: dict[str, Any], where: str) -> Config:
    """Return a configuration from plain values; ``where`` begins the message of a ``ConfigError``."""
    try:
        return Config.model_validate(data)
    except ValidationError as error:
        raise ConfigError(_explain(error, where, {})) from None


def parse_data_config(data: dict[str, Any], where: str) -> DataConfig:
    """Return a data section from plain values; ``where`` begins the message of a ``ConfigError``."""
    try:
        return DataConfig.model_validate(data)
    except ValidationError as error:
        raise ConfigError(_explain(error, where, {}, DataConfig)) from None


def _apply(data: dict[str, Any], override: str) -> str:
    """Apply one override to ``data``, which gets the mappings that it lacks, and return its key."""
    key, equals, text = override.partition("=")
    steps = key.strip().split(".")
    if not equals or not all(steps):
        raise ConfigError(
            f"override '{shorten(override, 200)}': expected KEY=VALUE, such as training.epochs=2"
        )
    try:
        value = parse_yaml(text, key)
    except ConfigError:
        raise ConfigError(
            f"override '{shorten(override, 200)}': expected a YAML value, found {shorten(repr(text))}"
        ) from None
    *outer_steps, last_step = steps
    node: Any = data
    for step in outer_steps:
        if isinstance(node, list):
            node = node[_list_index(node, step, override)]
            continue
        if node.get(step) is None:
            node[step] = {}
        node = node[step]
        if not isinstance(node, (dict, list)):
            raise ConfigError(
                f"override '{shorten(override, 200)}': expected '{shorten(step)}' to hold keys, found "
                f"{shorten(repr(node))}"
            )
    if isinstance(node, list):
        node[_list_index(node, last_step, override)] = value
    else:
        node[last_step] = value
    return ".".join(steps)


def _list_index(node: list[Any], step: str, override: str) -> int:
    """Return the index that one step of an override's key gives, or raise ``ConfigError``."""
    if not step.isdecimal() or len(step) > 9 or int(step) >= len(node):
        raise ConfigError(
            f"override '{shorten(override, 200)}': expected a number below {len(node)}, found '{shorten(step)}'"
        )
    return int(step)


def _explain(
    error: ValidationError,
    path: str,
    overrides_by_key: dict[str, str],
    section: type[BaseModel] = Config,
) -> str:
    """Return the first problem as ``FILE: KEY: expected …, found …``, and how many more there are.

    Where an override set the key, the message begins with the override in place of the file.
    """
    problems = error.errors(include_url=False)
    details = first_error(problems)
    key = shorten(".".join(str(step) for step in details["loc"] if step != "[key]"), 100)
    where = path
    for overridden_key, override in overrides_by_key.items():
        # The problem may be in a value below the overridden key, or in a section above it.
        is_below = f"{key}.".startswith(f"{overridden_key}.")
        is_above = overridden_key.startswith(f"{key}.")
        if is_below or is_above:
            where = f"override '{shorten(override, 200)}'"
    if details["type"] == "extra_forbidden" and key in RENAMED_KEYS:
        message = f"this key is now '{RENAMED_KEYS[key]}'"
    else:
        message = explain(details, section, mapping="keys with values")
    if len(problems) > 1:
        message += f" ({len(problems) - 1} more)"
    return f"{where}: {key or 'the file'}: {message}"
