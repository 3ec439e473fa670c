"""Models on the Hugging Face hub, by their name (``user/name``, or ``user/name@revision``): fetched once, then cached.

Only the files that a model consists of are taken: no code, nothing pickled. Where nothing may be fetched
(``HF_HUB_OFFLINE=1``) or nobody answers, the cache serves.
"""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

from claimstance.model.errors import ModelError, shorten

#: What a model consists of: all that is ever fetched.
FILES = (
    "config.json",
    "config.yaml",
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
    """Whether ``model`` can be a name on the hub: it looks like one, and no folder here is called as it begins."""
    name = model.as_posix() if isinstance(model, Path) else model
    return bool(_NAME.fullmatch(name)) and not Path(name.partition("/")[0]).exists()


def fetch(name: str) -> Path:
    """The folder of a model of the hub, in the hub's cache.

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
        with _bars_on_a_terminal():
            return Path(
                snapshot_download(
                    repository,
                    revision=revision or None,
                    allow_patterns=list(FILES),
                    library_name="claimstance",
                    library_version=metadata.version("claimstance"),
                )
            )
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
        why = (
            "HF_HUB_OFFLINE is set"
            if constants.HF_HUB_OFFLINE
            else f"{constants.ENDPOINT} cannot be reached"
        )
        raise ModelError(
            f"{name}: expected a model folder here or a model on the hub, found no folder; {why}, and "
            "the hub's cache has none by that name"
        ) from None
    except (OSError, HFValidationError) as error:
        raise ModelError(
            f"{name}: cannot be fetched from the hub: {shorten(' '.join(str(error).split()), 200)}"
        ) from None


@contextmanager
def _bars_on_a_terminal() -> Iterator[None]:
    """The hub's progress bars, where somebody sees them."""
    from huggingface_hub.utils.tqdm import (
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
    )

    silence = not sys.stderr.isatty() and not are_progress_bars_disabled()
    if silence:
        disable_progress_bars()
    try:
        yield
    finally:
        if silence:
            enable_progress_bars()
