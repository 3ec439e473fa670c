"""The processes that train together, on one machine."""

import os


def process_count() -> int:
    """Return the number of processes that train together, as torchrun and accelerate set it."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_main_process() -> bool:
    """Return whether this process writes the model: the only one, or the first of several."""
    return process_count() == 1 or os.environ.get("RANK", "0") == "0"
