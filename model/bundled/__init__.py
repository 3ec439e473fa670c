"""The models that ship with the package, each in the folder of its name, with its card."""

from pathlib import Path

#: Name → folder. An editable install may reach this file through a link; the models are beside the file itself.
BUNDLED_MODELS = {name: Path(__file__).resolve().parent / name for name in ("small", "base")}
DEFAULT_MODEL = "small"
