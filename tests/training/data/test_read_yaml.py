"""Test that broken or malicious YAML ends at once, with an error that names the file and the line."""

import datetime

import pytest

from claimstance.model.errors import ConfigError
from claimstance.training.data.codebook import load_codebook
from claimstance.training.data.read_yaml import DEEPEST, LimitedLoader, parse_yaml, read_yaml
from claimstance.training.load_config import load_config

LISTS = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12)
)
MAPPINGS = "a0: &a0 {k: x}\n" + "".join(
    f"a{i}: &a{i} {{l: *a{i - 1}, r: *a{i - 1}}}\n" for i in range(1, 40)
)
MERGES = "a0: &a0 {k: x}\n" + "".join(
    f"a{i}: &a{i} {{<<: [*a{i - 1}, *a{i - 1}]}}\n" for i in range(1, 40)
)
TEXTS = f"a: &a {'x' * 2000}\nb: [{', '.join(['*a'] * 600)}]\n"
CHAIN = "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, 3000))

WRONG = {
    "lists of aliases": (
        LISTS,
        r"line [67]: expected YAML, found aliases that stand for more than",
    ),
    "mappings of aliases": (
        MAPPINGS,
        r"line \d+: expected YAML, found aliases that stand for more",
    ),
    "merged aliases": (MERGES, r"line \d+: expected YAML, found aliases that stand for more than"),
    "aliases of a long text": (TEXTS, "line 2: expected YAML, found aliases that stand for more"),
    "a chain of aliases": (CHAIN, r"line \d+: expected YAML, found more than 50 levels"),
    "an alias of itself": (
        "a: 1\nb: &b [1, *b]\n",
        "line 2: expected YAML, found an alias of what it",
    ),
    "an alias of what holds it": (
        "a: &a\n  b:\n    c: *a\n",
        r"line \d: expected YAML, found an alias of",
    ),
    "brackets": ("a: 1\nb: " + "[" * 20_000, "line 2: expected YAML, found more than 50 levels"),
    "braces": ("{a: " * 20_000, "line 1: expected YAML, found more than 50 levels"),
    "dashes": ("- " * 20_000, "line 1: expected YAML, found more than 50 levels"),
    "a cut-off list": ("a:\n  b: [1,\n", "line 3: expected YAML, found while parsing"),
    "an unknown alias": ("a: 1\nb: *c\n", "line 2: expected YAML, found .*undefined alias"),
    "a tab": ("a:\n\tb: 1\n", "line 2: expected YAML, found .*cannot start any token"),
    "no UTF-8": (b"a: 1\nb: \xff\n", "line 2: expected YAML in UTF-8, found invalid start byte"),
    "a control character": ("a: \x01\n", "expected YAML, found unacceptable character"),
    "a large file": ("a: b\n" * 200_001, "expected at most 1,000,000 bytes of YAML, found more"),
}
INVALID_VALUES = {
    "a date": (
        "a: 1\nb: 2020-99-99\n",
        "line 2: .*found '2020-99-99', which is no date .* in quotes it is",
    ),
    "a time": ("a: 2020-01-01 25:61:61\n", "line 1: .*which is no date"),
    "a long number": (
        "a: 1\n\nb: " + "1" * 100_000,
        "line 3: .*found a number of 100,000 characters",
    ),
    "a long hexadecimal number": ("b: 0x" + "f" * 100_000, "line 1: .*found a number of 100,002"),
    "a long sexagesimal number": ("b: 1" + ":59" * 50_000, "line 1: .*found a number of 150,001"),
    "a number without digits": ("b: 0x_", "line 1: expected YAML, found '0x_', which is no number"),
    "a date as a key": ("2020-99-99: 1", "line 1: .*which is no date"),
    "a tag of Python": (
        "a: !!python/object/apply:os.getcwd []",
        "line 1: expected YAML, found .*tag",
    ),
}


def written(folder, content):
    path = folder / "x.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(("content", "message"), WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("read", [read_yaml, load_config, load_codebook])
def test_errors_of_wrong_files_name_the_line(tmp_path, read, content, message):
    path = written(tmp_path, content)
    with pytest.raises(ConfigError, match=message) as error:
        read(path)
    assert str(error.value).startswith(str(path))
    assert len(str(error.value)) < len(str(path)) + 300


@pytest.mark.parametrize(("content", "message"), INVALID_VALUES.values(), ids=INVALID_VALUES)
@pytest.mark.parametrize("read", [read_yaml, load_config])
def test_errors_of_invalid_values_name_the_line(tmp_path, read, content, message):
    with pytest.raises(ConfigError, match=message) as error:
        read(written(tmp_path, content))
    assert len(str(error.value)) < len(str(tmp_path)) + 300


def test_a_small_file_of_nested_aliases_ends_at_once(tmp_path):
    rows = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    rows += [
        f"{n}: &{n} [{','.join([f'*{b}'] * 9)}]"
        for b, n in zip("abcdefgh", "bcdefghi", strict=True)
    ]
    content = "\n".join(rows)
    assert len(content) < 436
    with pytest.raises(
        ConfigError, match="found aliases that stand for more than 1,000,000 characters"
    ):
        load_config(written(tmp_path, content))


def test_values_and_aliases_within_the_limits():
    text = "a: &a {n: 1, f: 1.5e-4, d: 2031-05-02, t: true}\nb: *a\nc:\n  <<: *a\n  n: 2\n"
    value = {"n": 1, "f": 1.5e-4, "d": datetime.date(2031, 5, 2), "t": True}
    assert parse_yaml(text, "x") == {"a": value, "b": value, "c": {**value, "n": 2}}
    assert parse_yaml("a: [1, 2020-99-99]", "x", LimitedLoader) == {"a": ["1", "2020-99-99"]}


def test_files_are_read_down_to_the_deepest_allowed_level():
    assert parse_yaml("[" * DEEPEST + "]" * DEEPEST, "x") is not None
    with pytest.raises(ConfigError):
        parse_yaml("[" * (DEEPEST + 1) + "]" * (DEEPEST + 1), "x")


@pytest.mark.parametrize(
    "override",
    ["a=" + "[" * 20_000, "training.epochs=2020-99-99", "a=" + "9" * 100_000, "a=&a [*a]", "a=*b"],
)
def test_overrides_with_invalid_values_are_refused(tmp_path, override):
    path = written(tmp_path, "output: o\ndata: {path: d}\n")
    with pytest.raises(ConfigError, match=r"^override '.*expected a YAML value, found") as error:
        load_config(path, [override])
    assert len(str(error.value)) < 400


def test_a_list_index_with_many_digits_is_refused(tmp_path):
    path = written(tmp_path, "output: o\ndata: {path: d, sources: [{files: [a.csv]}]}\n")
    with pytest.raises(ConfigError, match="expected a number below 1, found '999"):
        load_config(path, [f"data.sources.{'9' * 5000}.split=dev"])


def test_a_long_key_is_shortened(tmp_path):
    with pytest.raises(ConfigError, match="unknown key") as error:
        load_config(written(tmp_path, f"output: o\ndata: {{path: d}}\n? {'k' * 50_000}\n: 1\n"))
    assert len(str(error.value)) < len(str(tmp_path)) + 600
