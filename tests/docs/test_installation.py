"""Test the package as it is installed: its exports, its version, and imports from a wheel."""

import importlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from helpers.package import FOLDERS, PACKAGE_ROOT, PYPROJECT, module_name, modules
from helpers.paths import ROOT


@pytest.fixture(scope="module")
def installed_tree(tmp_path_factory) -> Path:
    """Return a folder with the package ``claimstance`` as ``package-dir`` assembles it, made of links."""
    folder = tmp_path_factory.mktemp("installed")
    package = folder / "claimstance"
    package.mkdir()
    try:
        for name in FOLDERS:
            (package / name).symlink_to(ROOT / name, target_is_directory=True)
        for file in (ROOT / PACKAGE_ROOT).glob("*.py"):
            (package / file.name).symlink_to(file)
    except OSError as error:
        pytest.skip(f"no links can be made: {error}")
    return folder


def run_python(code: str, tree: Path, cwd: Path = ROOT) -> list[str]:
    """Run a program whose import path begins with ``tree``; return the lines that it prints."""
    process = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(tree)},
    )
    assert (process.returncode, process.stderr) == (0, "")
    return process.stdout.splitlines()


@pytest.mark.parametrize("started_in", ["root", "elsewhere"])
def test_the_package_exports_the_names_of_inference(installed_tree, tmp_path, started_in):
    code = (
        "from claimstance import *\n"
        "import claimstance, claimstance.inference as api\n"
        "print(*claimstance.__all__)\n"
        "print(all(getattr(claimstance, name) is getattr(api, name) for name in api.__all__))\n"
        "print(Tagger.__module__, set(claimstance.__all__) <= set(dir(claimstance)))"
    )
    folder = ROOT if started_in == "root" else tmp_path
    names, are_identical, tagger = run_python(code, installed_tree, folder)
    exported = importlib.import_module("claimstance.inference").__all__
    assert names.split() == [*exported, "__version__"]
    assert (are_identical, tagger) == ("True", "claimstance.inference.tagger True")


def test_the_package_knows_its_version(installed_tree):
    code = "import claimstance; print(claimstance.__version__)"
    assert run_python(code, installed_tree) == [PYPROJECT["project"]["version"]]


def test_importing_the_package_loads_nothing(installed_tree):
    code = (
        "import sys\nbefore = set(sys.modules)\nimport claimstance\nclaimstance.__version__\n"
        "loaded = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(*sorted(loaded - set(sys.stdlib_module_names)))\n"
        "print(*sorted(name for name in sys.modules if name.startswith('claimstance.')))"
    )
    assert run_python(code, installed_tree) == ["claimstance", ""]


@pytest.mark.parametrize("name", ["Taggr", "tagger_", "__wrapped__"])
def test_a_name_that_the_package_lacks_is_an_attribute_error(installed_tree, name):
    code = (
        f"import claimstance\ntry: claimstance.{name}\nexcept AttributeError as error: print(error)"
    )
    assert run_python(code, installed_tree) == [f"module 'claimstance' has no attribute '{name}'"]


#: Import a package from the folder where it is unpacked, not an installed one: ``-S`` processes no ``.pth``.
IMPORTER = """
import site, sys
folder, *libraries = sys.argv[1:]
site.addsitedir(folder)
sys.path += libraries
import claimstance, importlib
assert not {"numpy", "onnxruntime", "torch"} & set(sys.modules)
print(claimstance.__version__, claimstance.Tagger.__module__)
for name in PACKAGES: importlib.import_module(name)
print("torch" in sys.modules)
from claimstance.model.bundled import BUNDLED_MODELS
print(all((folder / "manifest.json").is_file() for folder in BUNDLED_MODELS.values()), claimstance.__file__)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("hook", "settings"),
    [
        ("build_wheel", {}),
        ("build_editable", {}),
        ("build_editable", {"editable_mode": "strict"}),
    ],
    ids=["wheel", "editable", "strict"],
)
def test_an_installation_can_be_imported(tmp_path, hook, settings):
    source, target = tmp_path / "source", tmp_path / "target"
    for name in FOLDERS:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    build = f"from setuptools import build_meta; build_meta.{hook}({str(tmp_path)!r}, {settings})"
    subprocess.run([sys.executable, "-c", build], cwd=source, capture_output=True, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(target)
    tagging = [
        name
        for name in PYPROJECT["tool"]["setuptools"]["packages"]
        if not name.startswith("claimstance.training")
    ]
    libraries = [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
    # A developer starts the program in the folder of the sources, so nothing in it may hide the package.
    for folder in (source, tmp_path):
        process = subprocess.run(
            [
                sys.executable,
                "-S",
                "-c",
                IMPORTER.replace("PACKAGES", repr(tagging)),
                target,
                *libraries,
            ],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        )
        assert process.returncode == 0, process.stderr
        version, torch, bundled = process.stdout.splitlines()
        assert version == f"{PYPROJECT['project']['version']} claimstance.inference.tagger"
        assert torch == "False"
        assert bundled.startswith(f"True {tmp_path}")


def exporting() -> list[str]:
    """Return the dotted names of the modules with an ``__all__``, except the package itself."""
    return [
        f"claimstance.{module_name(path)}"
        for path in modules()
        if re.search(r"^__all__\b", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)
        and not path.startswith(PACKAGE_ROOT)
    ]


@pytest.mark.parametrize("name", exporting())
def test_exported_names_exist_and_are_sorted(name):
    module = importlib.import_module(name)
    exported = list(module.__all__)
    assert [n for n in exported if not hasattr(module, n)] == []
    # As ruff sorts them: constants, classes, functions.
    assert exported == sorted(exported, key=lambda n: (not n.isupper(), not n[:1].isupper(), n))
