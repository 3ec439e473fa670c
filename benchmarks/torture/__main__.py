"""Check that all work reported as done exists once, whole and right, whatever happens meanwhile.

    python benchmarks/torture [tagging training workers fuzz load] [--seed 7] [--write]

Each part is a module beside this file and says there what it does. ``--write`` writes its rows into
``benchmarks/reliability.json`` and ``reliability.md``, in place of those that it had; other parts keep theirs. The seed
that is printed brings about the same moments and the same inputs, as far as a machine's own pace lets it.
"""

import argparse
import random
import sys

import fine_tuning
import fuzz
import load
import page
import tagging
import workers

PARTS = {
    "tagging": tagging.measure,
    "training": fine_tuning.measure,
    "workers": workers.measure,
    "fuzz": fuzz.measure,
    "load": load.measure,
}


def main() -> None:
    """Torture, tell, and write if asked to; exit code 1 if anything does not hold."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=", ".join(PARTS) + "; all of them if none is given"
    )
    parser.add_argument("--seed", type=int, default=None, help="random if not given")
    parser.add_argument(
        "--write", action="store_true", help="write reliability.json and reliability.md"
    )
    asked = parser.parse_args()
    if unknown := {*asked.parts} - {*PARTS}:
        parser.error(f"expected {', '.join(PARTS)}, found {', '.join(sorted(unknown))}")
    seed = random.randrange(10**6) if asked.seed is None else asked.seed
    found = {}
    for name in asked.parts or PARTS:
        print(f"{name}, seed {seed}", flush=True)
        found[name] = PARTS[name](seed)
        if asked.write:
            before = page.read()
            page.write(
                {
                    part: found.get(part) or before[part]
                    for part in PARTS
                    if part in {**before, **found}
                }
            )
    print(page.render(page.figures(found)))
    sys.exit(int(not all(page.holds(row) for one in found.values() for row in one["rows"])))


if __name__ == "__main__":
    main()
