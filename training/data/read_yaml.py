"""Reading of YAML files that people write; an error names the line.

With aliases, a few lines can stand for gigabytes, and brackets can nest deeper than Python's recursion limit. The
loaders reject both while they read the file. They also reject scalars that look like a number or a date but are not
one.
"""

from pathlib import Path
from typing import Any

import yaml

from claimstance.model.errors import ConfigError, InputError, shorten
from claimstance.model.io.files import open_regular

LARGEST = 1_000_000  # characters of a file, and of all that its aliases stand for
DEEPEST = 50  # levels of lists and mappings
_LONGEST_NUMBER = 100  # characters


class LimitedLoader(yaml.BaseLoader):
    """Load YAML with text values only; its size and depth, with all aliases expanded, are limited."""

    def __init__(self, stream: Any) -> None:
        super().__init__(stream)
        self._level = 0
        self._sizes: dict[int, tuple[int, int]] = {}  # node → its characters and levels

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Compose the next node, and reject it if it is too large or too deep."""
        event = self.peek_event()  # type: ignore[no-untyped-call]
        mark = event.start_mark
        self._level += 1
        if self._level > DEEPEST:
            raise yaml.MarkedYAMLError(None, None, _too_deep(), mark)

        node = super().compose_node(parent, index)
        self._level -= 1
        if isinstance(event, yaml.AliasEvent) and id(node) not in self._sizes:
            raise yaml.MarkedYAMLError(None, None, "an alias of what it stands in", mark)
        if node is None or id(node) in self._sizes:
            return node

        # The children were composed, and so measured, before the node.
        size, levels = 1, 1
        children: list[yaml.Node] = []
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                children += [key, value]
        elif isinstance(node, yaml.SequenceNode):
            children = node.value
        for child in children:
            child_size, child_levels = self._sizes[id(child)]
            size += child_size
            levels = max(levels, 1 + child_levels)
        if isinstance(node, yaml.ScalarNode):
            size += len(node.value)

        if size > LARGEST:
            problem = f"aliases that stand for more than {LARGEST:,} characters"
            raise yaml.MarkedYAMLError(None, None, problem, mark)
        if levels > DEEPEST:
            raise yaml.MarkedYAMLError(None, None, _too_deep(), mark)
        self._sizes[id(node)] = size, levels
        return node


class ValueLoader(LimitedLoader, yaml.SafeLoader):
    """Load YAML with numbers, dates and truth values."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """Return the value of a node.

        Raises:
            yaml.MarkedYAMLError: For a scalar that looks like a number or a date but is not one.
        """
        if not isinstance(node, yaml.ScalarNode):
            return super().construct_object(node, deep)
        is_number = node.tag in ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
        if is_number and len(node.value) > _LONGEST_NUMBER:
            problem = f"a number of {len(node.value):,} characters"
            raise yaml.MarkedYAMLError(None, None, problem, node.start_mark)
        try:
            return super().construct_object(node, deep)
        except (ValueError, OverflowError, KeyError) as error:
            kind = node.tag.rpartition(":")[2].replace("timestamp", "date").replace("int", "number")
            problem = (
                f"{shorten(repr(node.value))}, which is no {kind} ({error}); in quotes it is text"
            )
            raise yaml.MarkedYAMLError(None, None, problem, node.start_mark) from None


def parse_yaml(text: str, where: str, loader: type[yaml.BaseLoader] = ValueLoader) -> Any:
    """Return the value of a YAML text.

    Args:
        text: One document.
        where: The beginning of an error message.
        loader: ``LimitedLoader`` or a subclass.

    Raises:
        ConfigError: Naming the line, for text that is not YAML or exceeds the limits.
    """
    try:
        return yaml.load(text, loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f", line {mark.line + 1}" if mark is not None else ""
        parts = [part for part in (error.context, error.problem) if part]
        problem = ", ".join(parts).removeprefix("found ")
        raise ConfigError(f"{where}{line}: expected YAML, found {problem}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{where}: expected YAML, found {' '.join(str(error).split())}") from None


def read_yaml(path: Path, loader: type[yaml.BaseLoader] = ValueLoader) -> Any:
    """Return the value of a YAML file.

    Raises:
        ConfigError: Naming the file and the line.
    """
    try:
        with open_regular(path) as file:
            data = file.read(LARGEST + 1)
        text = data.decode("utf-8-sig")
    except InputError as error:
        raise ConfigError(str(error)) from None
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{path}, line {line}: expected YAML in UTF-8, found {error.reason}"
        ) from None
    if len(data) > LARGEST:
        raise ConfigError(f"{path}: expected at most {LARGEST:,} bytes of YAML, found more")
    return parse_yaml(text, str(path), loader)


def _too_deep() -> str:
    return f"more than {DEEPEST} levels of lists and keys"
