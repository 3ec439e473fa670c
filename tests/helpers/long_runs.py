"""The files of a long run's folder."""

from pathlib import Path


def folder_contents(folder="out"):
    """Return name → bytes of every file in a folder, the lock left out."""
    return {path.name: path.read_bytes() for path in Path(folder).iterdir() if path.name != ".lock"}
