"""Score a bundled model, as shipped, on the public corpora's test parts.

    claimstance build configs/small.yaml --no-teachers --corpora CORPORA --out runs/figures-data
    python benchmarks/accuracy.py runs/figures-data --corpora CORPORA

or both by `make accuracy DATA=CORPORA`. Writes accuracy.json and, rendered from it, accuracy.md beside this file (of
`--model base`: in base/), and the tables that README and model card quote. A test part is there to be read once, at the
end: try things with `--split dev`.
"""

import argparse
import json
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import accuracy_rows as told
from accuracy_page import quote, render
from ceilings import between_answers, between_articles
from figures_head import figures_folder, head
from readme_table import write_readme

from claimstance.inference.writers.text import open_output
from claimstance.model.bundled import BUNDLED_MODELS
from claimstance.model.errors import ClaimstanceError, ConfigError
from claimstance.model.record import Record
from claimstance.training.data.corpora import lookup
from claimstance.training.data.dataset import load_labels, load_records, split_names
from claimstance.training.evaluate_model import score
from claimstance.training.evaluation.baselines import majority, regression


def main() -> None:
    """Score a model and what stands beside it, and write both files."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="the dataset built from configs/small.yaml")
    parser.add_argument(
        "--model", default="small", help="small, base, or a folder; for a folder, --out is needed"
    )
    parser.add_argument(
        "--corpora", type=Path, help="the folder that holds polnear/: how well people agree on it"
    )
    parser.add_argument(
        "--float32", type=Path, help="a folder with the float32 weights, to be scored beside"
    )
    parser.add_argument(
        "--no-words", action="store_true", help="leave out the regression on words, the slowest"
    )
    parser.add_argument(
        "--split", default="test", help="another split than test; then --out is needed"
    )
    parser.add_argument("--out", type=Path, help="where to write, if not beside this file")
    options = parser.parse_args()
    try:
        folder = figures_folder(options.model, options.out, options.split != "test")
        figures = measure(
            options.model,
            options.data,
            options.split,
            options.corpora,
            options.float32,
            not options.no_words,
        )
    except ClaimstanceError as error:
        parser.exit(2 if isinstance(error, ConfigError) else 1, f"error: {error}\n")
    page = render(figures)
    texts = {
        "accuracy.json": json.dumps(figures, indent=2, ensure_ascii=False) + "\n",
        "accuracy.md": page,
    }
    for name, text in texts.items():
        with open_output(folder / name) as file:
            file.write(text)
    if options.out is None:
        write_readme()
        card = BUNDLED_MODELS[options.model] / "README.md"
        card.write_text(quote(figures, card.read_text(encoding="utf-8")), encoding="utf-8")
    print(page)


def measure(
    model: str,
    data: Path,
    split: str,
    corpora: Path | None = None,
    float32: Path | None = None,
    words: bool = True,
) -> dict[str, Any]:
    """The figures file: the contract's keys, and what else the page tells."""
    records = load_records(data, split)
    people = _people(data, records, corpora)  # first what is quickest to fail
    with ProcessPoolExecutor(
        mp_context=get_context("spawn")
    ) as pool:  # what does not wait for one another
        shipped = pool.submit(score, model, data, split)
        simple = pool.submit(_baselines, data, split, words)
        weights = pool.submit(score, float32, data, split, exact=True) if float32 else None
    account, outcomes = shipped.result()
    beside = {"people": people, **simple.result()}
    figures = {
        **head(account["model"]["sha256"]),
        "data_fingerprint": account["data"]["fingerprint"],
        "split": split,
    }
    if weights:
        exact, _ = weights.result()
        beside["float32"] = exact["results"]
        figures["float32_sha256"] = exact["model"]["sha256"]
    results = account["results"]
    figures["rows"] = [
        *told.headline(results, beside, split),
        *told.calibration(results),
        *told.abstention(results),
        *told.people(people),
        *told.clean_parts(results),
        *told.classes(results),
        *told.outlets(outcomes, records),
    ]
    return figures


def _baselines(data: Path, split: str, words: bool) -> dict[str, told.Results]:
    records, labels, splits = load_records(data, split), load_labels(data), split_names(data)
    train, dev = (
        load_records(data, split) if split in splits else [] for split in ("train", "dev")
    )
    found = {"majority": told.plain(majority(train, records, labels))}
    if words:
        found["words"] = told.plain(regression(train, dev, records, labels)[0])
    return found


def _people(data: Path, records: Sequence[Record], corpora: Path | None) -> told.Results:
    """Score annotators against each other; on PolNeAR over all articles that several marked: each part has few."""
    found = dict(between_answers(records, load_labels(data)["stance"]))
    if corpora:
        polnear = lookup("polnear")
        agreement = between_articles(
            record
            for part in polnear.splits
            for record in polnear.read(corpora / "polnear", part, annotator="all")
        )
        # The dataset has the same sentences under the name of the corpus that adds stances to them.
        for name, figures in agreement.items():
            found[name.replace("polnear/", "polnear-stance/")] = figures
    return told.plain(found)


if __name__ == "__main__":
    main()
