"""Load models by their name on the Hugging Face hub: from a stand-in for it, from its cache, and offline."""

import os
import pickle
import shutil
import subprocess
from pathlib import Path

import pytest

from claimstance.inference import Tagger
from claimstance.model.errors import ModelError
from claimstance.model.io.hub import FILES, is_hub_name
from claimstance.model.onnx.backend import model_sha256
from helpers.hub import COMMIT, serving
from helpers.program import PROGRAM, TEXT, articles, write

NAME = "anna/stances"


@pytest.fixture
def pushed(model, tmp_path):
    """Return a pushed folder: a model, and files that do not belong to it."""
    folder = tmp_path / "pushed"
    shutil.copytree(model, folder)
    for name in ("code.py", "weights.pkl", "pytorch_model.bin", "model.safetensors"):
        (folder / name).write_bytes(b"import os")
    return folder


def call(*arguments, **environment):
    """Run the program in a process of its own, since the hub's client reads its settings only once."""
    return subprocess.run(
        [*PROGRAM, *arguments],
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
        env={
            **os.environ,
            "HF_HUB_OFFLINE": "0",
            "HF_HOME": str(Path("cache").resolve()),
            **environment,
        },
    )


def test_a_model_is_fetched_from_the_hub_and_then_from_its_cache(workdir, pushed, model):
    write("a.txt", TEXT)
    with serving(pushed, NAME) as (address, requested_paths):
        fetched = call("tag", "a.txt", "--model", NAME, HF_ENDPOINT=address)
        assert (fetched.returncode, fetched.stderr) == (0, "")
        missing = call("tag", "a.txt", "--model", "anna/other", HF_ENDPOINT=address)
        revision = call("tag", "a.txt", "--model", f"{NAME}@v2", HF_ENDPOINT=address)
    assert articles(fetched.stdout)[0]["model"]["sha256"] == model_sha256(Path(model))
    files = {path.rpartition("/")[2] for path in requested_paths if "/resolve/" in path}
    assert files == {path.name for path in pushed.iterdir()} & set(FILES)
    assert "code.py" not in files
    assert (missing.returncode, missing.stderr) == (
        1,
        "error: anna/other: expected a model folder here or a model on the hub, found neither (a private one needs "
        "a login: `hf auth login`)\n",
    )
    assert (revision.returncode, revision.stderr) == (
        1,
        f"error: {NAME}: expected the revision 'v2' on the hub, found none\n",
    )

    # The server at the address has ended.
    for settings in ({"HF_HUB_OFFLINE": "1"}, {"HF_ENDPOINT": address}):
        cached_run = call("tag", "a.txt", "--model", NAME, **settings)
        assert (cached_run.returncode, cached_run.stderr) == (0, "")
        assert cached_run.stdout == fetched.stdout
    unreached = call("tag", "a.txt", "--model", "anna/other", HF_ENDPOINT=address)
    assert (unreached.returncode, unreached.stderr) == (
        1,
        "error: anna/other: expected a model folder here or a model on the hub, found no folder; "
        f"{address} cannot be reached, and the hub's cache has none by that name\n",
    )
    offline = call("info", "--model", "anna/other", HF_HUB_OFFLINE="1")
    assert "HF_HUB_OFFLINE is set, and the hub's cache has none" in offline.stderr


def cached(model, folder, links=True):
    """Copy a model to a folder in the layout of the hub's cache; return the folder of its snapshot."""
    repository = folder / "models--anna--stances"
    snapshot = repository / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    (repository / "blobs").mkdir()
    for file in Path(model).iterdir():
        if not file.is_file():
            continue
        if links:
            shutil.copy(file, repository / "blobs" / file.name)
            (snapshot / file.name).symlink_to(Path("..", "..", "blobs", file.name))
        else:
            shutil.copy(file, snapshot / file.name)
    return snapshot


@pytest.mark.parametrize("links", [True, False])
def test_a_name_refers_to_the_hub_if_there_is_no_such_folder(workdir, model, monkeypatch, links):
    downloads = []

    def snapshot_download(name, **options):
        downloads.append((name, options["revision"], options["allow_patterns"]))
        return str(snapshot)

    snapshot = cached(model, workdir / "cache", links)
    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot_download)
    tagger = Tagger.from_pretrained(f"{NAME}@v1.2", threads=1)
    assert downloads == [(NAME, "v1.2", list(FILES))]
    assert tagger.tag(TEXT) == Tagger.from_pretrained(model, threads=1).tag(TEXT)
    assert pickle.loads(pickle.dumps(tagger)).model == tagger.model
    assert len(downloads) == 1  # a restored tagger loads the fetched files

    shutil.copytree(model, NAME)
    Tagger.from_pretrained(NAME, threads=1)
    with pytest.raises(ModelError, match="anna/other: expected a model folder, found nothing"):
        Tagger.from_pretrained("anna/other")
    assert len(downloads) == 1  # a folder named anna exists, so the name is a path


def test_a_link_out_of_the_cache_is_refused(tmp_path, model):
    snapshot = cached(model, tmp_path)
    (tmp_path / "elsewhere").write_bytes((snapshot / "config.json").read_bytes())
    (snapshot / "config.json").unlink()
    (snapshot / "config.json").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(
        ModelError, match=r"expected the file config\.json, which its manifest lists, found a link"
    ):
        Tagger.from_pretrained(snapshot)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("anna/stances", True),
        ("anna/stances@v1", True),
        ("a.b-c/d_e", True),
        (Path("anna", "stances"), True),
        ("anna", False),
        ("./anna/stances", False),
        ("/anna/stances", False),
        ("anna/b/c", False),
        ("../anna", False),
        ("anna/..", False),
        ("anna/", False),
        ("änna/b", False),
        ("anna/b c", False),
    ],
)
def test_hub_names_have_a_user_and_a_model(workdir, name, expected):
    assert is_hub_name(name) is expected
