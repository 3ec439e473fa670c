"""Write the head of every file of figures: the date, the machine and the model."""

import os
import platform
from datetime import date
from typing import Any


def head(model_sha256: str | None) -> dict[str, Any]:
    """The date, the machine and the model's sha256, ``None`` where no model is measured."""
    machine = f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
    return {"date": date.today().isoformat(), "machine": machine, "model_sha256": model_sha256}
