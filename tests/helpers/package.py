"""List the modules of the package, and read its pyproject.toml."""

import sys

from helpers.paths import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FOLDERS = ("inference", "model", "training")
#: The folder that is installed as ``claimstance`` itself.
PACKAGE_ROOT = "inference/package_root"
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def modules() -> list[str]:
    """Return the paths of all Python files of the package, relative to the root."""
    return sorted(
        path.relative_to(ROOT).as_posix()
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
    )


def module_name(path: str) -> str:
    """Return the name of a file's module below ``claimstance``."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
