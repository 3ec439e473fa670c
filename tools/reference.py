"""Write the reference pages that the code itself knows: ``docs/commands.md`` and ``docs/configuration.md``.

    python tools/reference.py           # or make reference

A test holds the pages to what this would write.
"""

import types
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo
from typer import Context
from typer.cli import get_docs_for_click
from typer.main import get_command

from claimstance.inference.cli.main import app
from claimstance.training.config import Config
from claimstance.training.data.config import Section

DOCS = Path(__file__).resolve().parents[1] / "docs"
_COMMANDS = """\
# Commands

This page lists every command with its arguments and options, as `--help` shows them.
"""
_CONFIGURATION = """\
# Configuration

This page lists every key of the YAML file that `claimstance train` and `claimstance build` read.

```
claimstance train CONFIG training.epochs=5 output=runs/longer
```
The command line can replace every key, as in this example. `claimstance init` writes a commented file to start from.
The folder of a trained model contains its configuration, with all defaults, as `config.yaml`. An unknown key is an
error; the message names the nearest known key.

Written by `make reference` from the code.
"""


def commands() -> str:
    """The page of the commands, as ``--help`` tells them."""
    command = get_command(app)
    text = get_docs_for_click(
        obj=command,
        ctx=Context(command, info_name="claimstance"),
        name="claimstance",
        title="Commands",
    )
    for name, its in command.commands.items():
        whole = " ".join((its.help or "").split("\n\n")[0].split())  # which typer cuts
        line = f"\n* [`{name}`](#claimstance-{name}): {whole}"
        text = text.replace(f"\n* `{name}`: {its.get_short_help_str()}", line)
    lines = [
        line for line in text.splitlines() if not line.startswith(("* `--help`", "* `-h, --help`"))
    ]
    page = "\n".join(lines).strip().replace("# Commands\n", _COMMANDS, 1)
    return page + "\n\nWritten by `make reference` from the code.\n"


def configuration() -> str:
    """The page of the configuration's keys: a table a section."""
    return _CONFIGURATION + "".join(_tables("", "Top level", Config))


def _tables(prefix: str, title: str, section: type[Section]) -> Iterator[str]:
    inner = []
    yield f"\n## {title}\n{' '.join((section.__doc__ or '').split())}\n\n"
    yield "| key | values | default | meaning |\n|---|---|---|---|\n"
    for name, field in section.model_fields.items():
        key, (below, many) = f"{prefix}{name}", _section(field.annotation)
        yield f"| `{key}` | {_values(field.annotation)} | {_default(field)} | {field.description} |\n"
        if below is not None:
            inner.append((f"{key}{'[]' if many else ''}.", f"`{key}`", below))
    for place, name, below in inner:
        yield from _tables(place, name, below)


def _section(annotation: Any) -> tuple[type[Section] | None, bool]:
    """The section that a key holds, if it holds one, and whether it holds several."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation, False
    found = [section for section, _ in map(_section, get_args(annotation)) if section]
    return (found or [None])[0], get_origin(annotation) not in (Union, types.UnionType)


def _values(annotation: Any) -> str:
    """A type in words that a YAML file's author knows.

    >>> _values(dict[str, float]), _values(int | None), _values(Literal["a", "b"])
    ('text → number', 'whole number or null', '`a`, `b`')
    """
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _values(inner[0])
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in inner)
    if origin in (Union, types.UnionType):
        return " or ".join(map(_values, inner))
    if origin is list:
        return "list, see below" if _section(inner[0])[0] else f"list of {_values(inner[0])}"
    if origin is dict:
        return " → ".join(map(_values, inner))
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return "see below"
    names = {
        str: "text",
        int: "whole number",
        float: "number",
        bool: "true, false",
        Path: "path",
        type(None): "null",
        Any: "anything",
    }
    return names[annotation]


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if isinstance(field.default, Section):
        return ""
    value = field.get_default(call_default_factory=True)
    return (
        "null" if value is None else f"`{str(value).lower() if isinstance(value, bool) else value}`"
    )


def main() -> None:
    """Write both pages."""
    for name, page in (("commands.md", commands()), ("configuration.md", configuration())):
        (DOCS / name).write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
