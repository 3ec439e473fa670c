"""Checkpoints of a training run: their folder, and the check that a run may be resumed from them.

Beside its checkpoints, a run writes ``run.json``, which describes everything that its weights depend on. A resumed
run must have the same description. Otherwise the weights would come from one dataset, and the model folder would
name another.
"""

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from claimstance.model.bundled import FAST_MODEL
from claimstance.model.errors import ConfigError
from claimstance.model.onnx.backend import model_folder
from claimstance.model.onnx.manifest import MANIFEST_FILE, sha256
from claimstance.model.record import Record
from claimstance.training.config import AUTO, Config
from claimstance.training.data.soft_labels import SoftLabels

log = logging.getLogger(__name__)
CHECKPOINTS = "checkpoints"  # a folder in the model folder; TensorBoard's logs are there, too
RUN_FILE = "run.json"
UNKNOWN = ("", "unknown")  # fingerprints of data that was not built by `claimstance build`
_FORMAT = 1
_MAX_DIFFERENCES = 6  # that a message lists
#: Keys that may differ in a resumed run, because no trained weight depends on them: `init_share` and `export` apply
#: after the last step. Data is compared by its fingerprint.
_FREE_KEYS = (
    "name",
    "version",
    "output",
    "card",
    "data",
    "export",
    "training.threads",
    "training.init_share",
)
_START_WEIGHTS = ("model.safetensors", MANIFEST_FILE)  # an exported model may lack the first

Description = dict[str, Any]


def describe_run(
    config: Config,
    splits: Mapping[str, Sequence[Record]],
    labels: Mapping[str, Sequence[str]],
    soft: Mapping[str, SoftLabels],
    fingerprint: str,
    processes: int,
) -> Description:
    """Return everything that a run's weights depend on, as plain values.

    Args:
        config: the whole configuration.
        splits: the records to train on, and those to choose the best weights on.
        labels: task → label names in order, for the tasks that are trained.
        soft: soft labels by record id.
        fingerprint: the fingerprint of the built dataset; if it is unknown, the records are hashed.
        processes: the number of processes that train together.
    """
    settings = _flat(config.model_dump(mode="json"))
    for key in list(settings):
        if any(f"{key}.".startswith(f"{free_key}.") for free_key in _FREE_KEYS):
            del settings[key]
    start_digest = None
    init_from = config.model.init_from
    if init_from is not None:
        folder = init_folder(init_from)
        weights = [folder / name for name in _START_WEIGHTS if (folder / name).is_file()]
        start_digest = sha256(weights[0]) if weights else None
    if fingerprint in UNKNOWN:
        fingerprint = _digest(splits, soft)
    return {
        "format": _FORMAT,
        "data": {"path": str(config.data.path), "fingerprint": fingerprint},
        "labels": {task: list(names) for task, names in labels.items()},
        "settings": settings,
        "start": start_digest,
        "processes": processes,
    }


def init_folder(init_from: Path | None) -> Path:
    """Return the folder of the model whose weights training begins with."""
    return model_folder(FAST_MODEL if init_from == AUTO else init_from)


def find_checkpoint(folder: Path) -> Path | None:
    """Return the last complete checkpoint in a folder of checkpoints; ``None`` if there is none.

    The trainer writes the state of a checkpoint last: if it cannot be read, other files may be missing, too.
    """
    last, last_step = None, -1
    for state in folder.glob("checkpoint-*/trainer_state.json"):
        step = int(state.parent.name.removeprefix("checkpoint-"))
        if step > last_step and _read(state) is not None:
            last, last_step = state.parent, step
    return last


def require_no_checkpoints(folder: Path) -> None:
    """Refuse to start a new run beside the checkpoints of another, which could be mixed up later.

    Raises:
        ConfigError: if there is a complete checkpoint in ``folder``.
    """
    if find_checkpoint(folder) is not None:
        raise ConfigError(
            f"output: expected a new folder, found the checkpoints of an interrupted run in {folder}: "
            "continue it with --resume, or remove them"
        )


def write_description(folder: Path, description: Description) -> None:
    """Write the description of a run into the folder of its checkpoints."""
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / RUN_FILE, description)


def checkpoint_to_resume(folder: Path, description: Description) -> Path | None:
    """Return the checkpoint to resume from; ``None`` if there is none yet, so that training starts anew.

    Raises:
        ConfigError: if the checkpoints belong to a run with other data, labels or settings, naming the differences.
    """
    checkpoint = find_checkpoint(folder)
    if checkpoint is None:
        log.info("no checkpoint in %s yet: training starts from the beginning", folder)
        return None
    earlier = _read(folder / RUN_FILE)
    if earlier is None or earlier.get("format") != _FORMAT:
        raise ConfigError(
            f"--resume: expected {folder / RUN_FILE} with the description of the interrupted run, "
            f"found none that can be read: train into another folder, or remove {folder}"
        )
    differences = _differences(earlier, description)
    if differences:
        listed = "; ".join(differences[:_MAX_DIFFERENCES])
        if len(differences) > _MAX_DIFFERENCES:
            listed += f"; {len(differences) - _MAX_DIFFERENCES} more"
        raise ConfigError(
            f"--resume: expected the data, labels and settings of the interrupted run in {folder}, found {listed}. "
            "Restore them, or train into another folder (output=FOLDER)"
        )
    _locate_best(checkpoint)
    return checkpoint


def _locate_best(checkpoint: Path) -> None:
    """Write the present path of the best checkpoint into the state of ``checkpoint``.

    If the output folder was moved, the trainer would not find the best checkpoint under its recorded path,
    and would silently keep the last weights.
    """
    file = checkpoint / "trainer_state.json"
    state = _read(file) or {}
    recorded = state.get("best_model_checkpoint")
    if not recorded:
        return
    best = checkpoint.parent / Path(recorded).name
    if not best.is_dir():
        raise ConfigError(
            f"--resume: expected the best checkpoint so far in {best}, found no such folder"
        )
    if recorded != str(best):
        _write(file, {**state, "best_model_checkpoint": str(best)})


def _differences(earlier: Description, now: Description) -> list[str]:
    """Describe each difference between two runs: ``training.learning_rate 0.0001 -> 5e-05``."""
    differences = []
    old, new = earlier.get("data", {}), now["data"]
    if old.get("fingerprint") != new["fingerprint"]:
        old_fingerprint = (old.get("fingerprint") or "unknown")[:12]
        differences.append(
            f"other data: data.path {old.get('path')} (fingerprint {old_fingerprint}) -> "
            f"{new['path']} (fingerprint {new['fingerprint'][:12]})"
        )
    for task, before, after in _changed(earlier.get("labels", {}), now["labels"]):
        old_labels = ", ".join(before or ()) or "none"
        new_labels = ", ".join(after or ()) or "none"
        differences.append(f"labels of {task} {old_labels} -> {new_labels}")
    for key, before, after in _changed(earlier.get("settings", {}), now["settings"]):
        old_value = "null" if before is None else before
        new_value = "null" if after is None else after
        differences.append(f"{key} {old_value} -> {new_value}")
    if earlier.get("start") != now["start"]:
        differences.append("other weights in model.init_from")
    if earlier.get("processes") != now["processes"]:
        differences.append(f"training processes {earlier.get('processes')} -> {now['processes']}")
    return differences


def _changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """Return key, old and new value of all keys whose values differ; ``None`` stands for a missing key."""
    changed = []
    for key in dict.fromkeys([*old, *new]):
        before, after = old.get(key), new.get(key)
        if before != after:
            changed.append((key, before, after))
    return changed


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested values under dotted keys: ``{"a": {"b": 1}}`` as ``{"a.b": 1}``."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _digest(splits: Mapping[str, Sequence[Record]], soft: Mapping[str, SoftLabels]) -> str:
    """Return a SHA-256 of the train and dev records and of the soft labels."""
    digest = hashlib.sha256()
    for split in ("train", "dev"):
        digest.update(split.encode())
        for record in splits.get(split) or ():
            digest.update(record.to_json().encode("utf-8", "surrogatepass") + b"\n")
    for name, tasks in sorted(soft.items()):
        for task, shares in sorted(tasks.items()):
            digest.update(f"{name} {task}\n".encode() + shares.tobytes())
    return digest.hexdigest()


def _write(path: Path, values: Mapping[str, Any]) -> None:
    """Write a JSON file, which replaces the earlier one only once it is complete."""
    temporary = path.with_name(f"{path.name}.part")
    text = json.dumps(values, indent=2, ensure_ascii=False)
    temporary.write_text(text + "\n", encoding="utf-8")
    temporary.replace(path)


def _read(path: Path) -> dict[str, Any] | None:
    """Return the JSON object in a file; ``None`` if there is none."""
    try:
        values = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return values if isinstance(values, dict) else None
