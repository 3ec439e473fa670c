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
    """Run the chosen parts and print their figures; exit with code 1 if a goal is missed."""
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
    options = parser.parse_args()
    unknown = {*options.parts} - {*PARTS}
    if unknown:
        parser.error(f"expected {', '.join(PARTS)}, found {', '.join(sorted(unknown))}")
    seed = random.randrange(10**6) if options.seed is None else options.seed
    results = {}
    for name in options.parts or PARTS:
        print(f"{name}, seed {seed}", flush=True)
        results[name] = PARTS[name](seed)
        if options.write:
            # Written after each measurement, since the next one may take hours. The others keep their figures.
            merged = {**page.read(), **results}
            page.write({name: merged[name] for name in PARTS if name in merged})
    print(page.render(page.figures(results)))
    rows = [row for result in results.values() for row in result["rows"]]
    sys.exit(0 if all(page.holds(row) for row in rows) else 1)


if __name__ == "__main__":
    main()
