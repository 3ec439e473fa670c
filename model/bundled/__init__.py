"""The models that ship with the package, each in the folder of its name, with its card."""

from pathlib import Path

#: Name → folder. An editable install may reach this file through a link; the models are beside the file itself.
BUNDLED_MODELS = {name: Path(__file__).resolve().parent / name for name in ("small", "base")}
#: The model of most commands: it reports three times as many stances as ``small``.
DEFAULT_MODEL = "base"
#: The model of the server, where time and memory count most, and of `model.init_from: auto` in training.
FAST_MODEL = "small"
