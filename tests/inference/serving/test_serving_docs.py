"""Test that the server matches docs/serving.md and the files beside it."""

import re

from claimstance.inference.serving import bodies, description
from claimstance.inference.serving.settings import Settings
from helpers import serving  # skips where the extra is missing
from helpers.program import ROOT
from helpers.snippets import blocks, lines

DOCS = ROOT / "docs"
PAGE = (DOCS / "serving.md").read_text(encoding="utf-8")


def test_every_refusal_is_explained():
    cells = re.findall(r"^\| (4[^|]+|5[^|]+) \|", PAGE, re.MULTILINE)
    explained = {int(status) for cell in cells for status in re.findall(r"\b\d{3}\b", cell)}
    assert explained == {*description.RESPONSES} - {200}


def test_all_options_are_documented(run):
    options = set(re.findall(r"--[a-z-]+", run("serve", "--help").out))
    documented = set(re.findall(r"`(--[a-z-]+)", PAGE))
    for name, pattern in (
        ("Dockerfile", r"^ENTRYPOINT .*"),
        ("claimstance.service", r"^ExecStart=.*"),
    ):
        match = re.search(pattern, (DOCS / name).read_text(encoding="utf-8"), re.MULTILINE)
        documented |= set(re.findall(r"--[a-z-]+", match.group()))
    assert {"--token", "--host", "--port", "--max-articles"} <= documented <= options


def test_limits_are_the_defaults():
    settings = Settings()
    assert settings.max_body == 1 << 20
    assert "`--max-body`, 1 MiB" in PAGE
    assert f"`--timeout`, {settings.timeout:g} s" in PAGE
    assert f"`--max-pairs`, {settings.max_pairs}" in PAGE
    assert f"An IP address may send {bodies.MAX_PER_CLIENT} at a time" in PAGE
    assert f"hold {bodies.MAX_MEMORY} times `--max-body`" in PAGE


def test_all_paths_are_documented(client):
    paths = {"/", "/openapi.json", *client.get("/openapi.json").json()["paths"]}
    table = PAGE[PAGE.index("## Endpoints") : PAGE.index("## Errors")]
    assert set(re.findall(r"`(?:GET |POST )?(/[\w/.]*)`", table)) == paths


def test_examples_are_answered(client):
    commands = [line for block in blocks("docs/serving.md") for line in lines(block)]
    examples = re.findall(r"(/v1/\w+) .*-d '(.*)'", "\n".join(commands))
    assert len(examples) == 2
    for path, body in examples:
        assert client.post(path, content=body, headers=serving.JSON).status_code == 200
