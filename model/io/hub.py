"""Models on the Hugging Face hub, by their name (``user/name``, or ``user/name@revision``): downloaded and cached.

Only the files that a model consists of are downloaded: no code, nothing pickled. The cache serves if downloads are
switched off (``HF_HUB_OFFLINE=1``) or the hub does not answer.
"""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

from claimstance.model.errors import ModelError, shorten

#: Patterns of the files of a model. No others are downloaded.
FILES = (
    "config.json",
    "config.yaml",
    "encoder-*.onnx",
    "link.onnx",
    "manifest.json",
    "reader.onnx",
    "README.md",
    "stance.onnx",
    "tokenizer.json",
    "training.json",
)
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*(@[\w./-]+)?", re.ASCII)


def is_hub_name(model: Path | str) -> bool:
    """Return whether ``model`` can be a name on the hub: it has that form, and no folder has the user's name."""
    name = model.as_posix() if isinstance(model, Path) else model
    return bool(_NAME.fullmatch(name)) and not Path(name.partition("/")[0]).exists()


def fetch(name: str) -> Path:
    """Download a model from the hub and return its folder in the hub's cache.

    Raises:
        ModelError: if the hub has no such model, or cannot be reached and the cache lacks it.
    """
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    repository, _, revision = name.partition("@")
    try:
        with _progress_on_terminal_only():
            folder = snapshot_download(
                repository,
                revision=revision or None,
                allow_patterns=list(FILES),
                library_name="claimstance",
                library_version=metadata.version("claimstance"),
            )
    # The order matters: the error of a gated repository is a kind of that of a missing one.
    except GatedRepoError:
        raise ModelError(
            f"{name}: expected a model that may be read, found one whose terms have to be accepted on "
            f"the hub first (and a login: `hf auth login`)"
        ) from None
    except RepositoryNotFoundError:
        raise ModelError(
            f"{name}: expected a model folder here or a model on the hub, found neither (a private one "
            "needs a login: `hf auth login`)"
        ) from None
    except RevisionNotFoundError:
        raise ModelError(
            f"{repository}: expected the revision '{revision}' on the hub, found none"
        ) from None
    except LocalEntryNotFoundError:
        reason = f"{constants.ENDPOINT} cannot be reached"
        if constants.HF_HUB_OFFLINE:
            reason = "HF_HUB_OFFLINE is set"
        raise ModelError(
            f"{name}: expected a model folder here or a model on the hub, found no folder; {reason}, and "
            "the hub's cache has none by that name"
        ) from None
    except (OSError, HFValidationError) as error:
        reason = shorten(" ".join(str(error).split()), 200)
        raise ModelError(f"{name}: cannot be fetched from the hub: {reason}") from None
    return Path(folder)


@contextmanager
def _progress_on_terminal_only() -> Iterator[None]:
    """Hide the hub's progress bars unless standard error is a terminal."""
    from huggingface_hub.utils.tqdm import (
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
    )

    hides_bars = not sys.stderr.isatty() and not are_progress_bars_disabled()
    if hides_bars:
        disable_progress_bars()
    try:
        yield
    finally:
        if hides_bars:
            enable_progress_bars()
