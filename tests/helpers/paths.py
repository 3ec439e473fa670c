"""Name the folders of the repository that tests read from."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SEEDS = ROOT / "seeds"
DATA = ROOT / "tests" / "data"
BENCHMARKS = ROOT / "benchmarks"
