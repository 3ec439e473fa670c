"""What the program says of itself: its version, and help whose examples can be copied."""

from importlib import metadata
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

_EXAMPLE = "\n\nExample: "
_AS_WRITTEN = "\b\n"  # click's mark before a paragraph that is not to be wrapped


class Commands(TyperGroup):
    """The commands. An example in their help stands as it is written, so that it can be copied."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """The command that was called: its name, itself, and what is left of the call."""
        name, command, left = super().resolve_command(ctx, args)
        if command is not None and command.help and _AS_WRITTEN not in command.help:
            command.help = command.help.replace(_EXAMPLE, f"\n\n{_AS_WRITTEN}{_EXAMPLE.lstrip()}")
        return name, command, left


def _say_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"claimstance {metadata.version('claimstance')}")
        raise typer.Exit


Version = Annotated[
    bool,
    typer.Option(
        "--version",
        callback=_say_version,
        is_eager=True,
        help="Say which version this is, and exit.",
    ),
]
