"""Options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        help="Model folder, or a name on the Hugging Face hub (user/name); the bundled model if not given.",
    ),
]
Out = Annotated[
    Path | None, typer.Option("--out", "-o", help="Where to write; standard output if not given.")
]
Threads = Annotated[
    int | None, typer.Option("--threads", min=1, help="Processor threads; all cores if not given.")
]
