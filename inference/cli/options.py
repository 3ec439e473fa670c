"""Options that several commands have, and the version option."""

from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer

from claimstance.model.bundled import DEFAULT_MODEL


def _print_version(is_set: bool) -> None:
    """Print the version and exit if the option is set, before a missing command is an error."""
    if is_set:
        typer.echo(f"claimstance {metadata.version('claimstance')}")
        raise typer.Exit


VersionOption = Annotated[
    bool,
    typer.Option(
        "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
    ),
]
MODEL_HELP = (
    "base (the more accurate model), small (the faster one), a model folder, or a name on the Hugging Face hub "
    "(user/name)."
)
ModelOption = Annotated[
    str | None,
    typer.Option("--model", help=f"{MODEL_HELP} {DEFAULT_MODEL} if not given."),
]
OutOption = Annotated[
    Path | None, typer.Option("--out", "-o", help="Output file; standard output if not given.")
]
ThreadsOption = Annotated[
    int | None,
    typer.Option("--threads", min=1, help="Number of processor threads; all cores if not given."),
]
MinConfidenceOption = Annotated[
    float | None,
    typer.Option(
        "--min-confidence",
        min=0,
        max=1,
        help="Probability below which a stance is marked as abstained; if not given, the model's own limits, "
        "from which four of five stances were right on development data.",
    ),
]
