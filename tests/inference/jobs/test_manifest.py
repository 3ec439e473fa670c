"""Test manifests that no run wrote, and names that are not UTF-8."""

import json
import os
import sys
from pathlib import Path

import pytest

from helpers.long_runs import (
    IN_TWOS,
    fail_after_parts,
    folder_contents,
    read_manifest,
    write_corpus,
)
from helpers.program import TEXT, write


def changed_manifest(*keys, value):
    """Return the manifest as JSON, with ``value`` at the path of ``keys``."""
    content = target = read_manifest()
    for key in keys[:-1]:
        target = target[key]
    target[keys[-1]] = value
    return json.dumps(content)


@pytest.mark.parametrize(
    ("keys", "value", "message"),
    [
        (("kind",), "other", "kind: expected 'claimstance tag', found 'other'"),
        (("program",), None, "program: expected an object, found None"),
        (("program",), [], "program: expected "),
        (("model",), "bundled", "model: expected "),
        (("options",), 3, "options: expected "),
        (("inputs",), {}, "inputs: expected "),
        (("inputs",), ["c.jsonl"], "inputs.0: expected "),
        (("complete",), "yes", "complete: expected a valid boolean, found 'yes'"),
        (("parts",), [], "parts: expected "),
        (("parts", "x"), {}, "parts.x.[key]: expected "),
        (("parts", "-1"), {}, "parts.-1.[key]: expected "),
        (("parts", "0"), None, "parts.0: expected "),
        (("parts", "0", "file"), 5, "parts.0.file: expected a valid string, found 5"),
        (("parts", "0", "file"), "../../mine", "parts.0.file: "),
        (("parts", "0", "file"), "part-00000.jsonl\n", "parts.0.file: "),
        (("parts", "0", "sha256"), 7, "parts.0.sha256: expected "),
        (("parts", "0", "sha256"), "abc", "parts.0.sha256: "),
        (("parts", "0", "articles"), "two", "parts.0.articles: expected a valid integer"),
        (("parts", "0", "articles"), -1, "parts.0.articles: expected "),
        (("parts", "0", "errors"), "none", "parts.0.errors: expected "),
        (("parts", "0", "errors"), [{}], "parts.0.errors.0: expected "),
        (("parts", "0", "more"), 1, "parts.0.more: "),
    ],
)
def test_a_manifest_with_wrong_types_is_refused(tag, keys, value, message):
    write_corpus()
    tag()
    write("out/manifest.json", changed_manifest(*keys, value=value))
    before = folder_contents()
    refused = tag()
    assert (refused.code, len(refused.messages)) == (2, 1)
    assert (
        f"found '{Path('out', 'manifest.json')}', which no run wrote: {message}"
        in (refused.messages[0])
    )
    assert folder_contents() == before


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "[]",
        "[" * 100_000,
        '{"kind": ' * 100_000,
        '{"kind": "claimstance tag", "parts": ' + "[" * 50_000 + "]" * 50_000 + "}",
        "1" * 100_000,
        '{"kind": "claimstance tag", "complete": ' + "9" * 10_000 + "}",
        '"\\ud800"',
        "\0",
    ],
    ids=range(11),
)
def test_a_file_that_is_no_manifest_is_refused(tag, text):
    write_corpus()
    write("out/manifest.json", text)
    refused = tag()
    assert (refused.code, len(refused.messages)) == (2, 1)
    assert "out/manifest.json', which no run wrote: " in refused.messages[0].replace("\\", "/")
    assert len(refused.messages[0]) < 400
    assert Path("out/manifest.json").read_text(encoding="utf-8") == text


@pytest.mark.parametrize("name", ["program", "model", "options", "inputs", "complete", "parts"])
def test_a_manifest_without_a_required_key_is_refused(tag, name):
    write_corpus()
    tag()
    content = {key: value for key, value in read_manifest().items() if key != name}
    write("out/manifest.json", json.dumps(content))
    refused = tag()
    assert (refused.code, len(refused.messages)) == (2, 1)
    assert refused.messages[0].endswith(f"{name}: expected a value, found none")


@pytest.mark.parametrize("name", ["program", "model", "options"])
@pytest.mark.parametrize("value", [None, 3, [[]], {"a": {"b": []}}], ids=str)
def test_settings_of_another_type_are_other_settings(tag, name, value):
    write_corpus()
    tag()
    undisturbed = read_manifest()
    for key in undisturbed[name]:
        if undisturbed[name][key] != value:
            content = {**undisturbed, name: {**undisturbed[name], key: value}}
            write("out/manifest.json", json.dumps(content))
            refused = tag()
            assert (refused.code, len(refused.messages)) == (2, 1)
            assert f"the run in 'out' has other settings ({name} {key}" in refused.messages[0]


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names are Unicode there")
@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_a_run_with_non_utf8_folder_names_is_resumed(run, model, monkeypatch, form):
    folder = os.fsdecode(b"in\xff")
    Path(folder).mkdir()
    for number, name in enumerate((b"a\xfe.txt", b"b\xe9.txt", b"c\xc3.txt", b"d\x80.txt")):
        write(os.path.join(folder, os.fsdecode(name)), "\0" if number == 1 else TEXT)  # noqa: PTH118
    out = os.fsdecode(b"out\xfd")
    call = ("tag", folder, "--model", model, "--out", out, "--format", form, *IN_TWOS)
    with monkeypatch.context() as patched:
        fail_after_parts(patched, 1)
        assert run(*call).code == 130
    done = run(*call)
    repeated = run(*call)
    summary = "error: not read: 1 of 4 inputs or lines; tagged: 3"
    assert (done.code, done.messages) == (1, [summary])
    assert (repeated.code, repeated.messages) == (1, [summary])
    content = read_manifest(out)
    assert (content["complete"], content["articles"], content["failed"]) == (True, 3, 1)
    assert content["inputs"][0]["path"] == "in\\xff"
    assert "in\\xff/b\\xe9.txt" in content["parts"]["0"]["errors"][0]


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names are Unicode there")
def test_other_inputs_with_non_utf8_names_are_refused_in_one_line(run, model):
    for name in (b"a\xfe.txt", b"b\xff.txt"):
        write(os.fsdecode(name), TEXT)
    call = ("tag", "--model", model, "--out", os.fsdecode(b"out\xfd"))
    assert run(*call, os.fsdecode(b"a\xfe.txt")).code == 0
    refused = run(*call, os.fsdecode(b"b\xff.txt"))
    assert (refused.code, len(refused.messages)) == (2, 1)
    assert "b\\xff.txt names_sizes_times: " in refused.messages[0]
