"""Score a bundled model, as shipped, on the public corpora's test parts.

    claimstance build configs/small.yaml --no-teachers --corpora CORPORA --out runs/figures-data
    python benchmarks/accuracy.py runs/figures-data --corpora CORPORA

or both by `make accuracy DATA=CORPORA`. Writes accuracy.json and, rendered from it, accuracy.md beside this file (of
`--model base`: in base/), and the tables that README and model card quote. A test part is there to be read once, at the
end: try things with `--split dev`.
"""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import accuracy_rows
from accuracy_page import quote, render
from ceilings import between_answers, between_articles
from figure_files import exit_with_error, figures_folder, figures_parser, head, write_figures
from readme_table import write_readme

from claimstance.model.bundled import BUNDLED_MODELS
from claimstance.model.errors import ClaimstanceError
from claimstance.model.record import Record
from claimstance.training.data.corpora import lookup
from claimstance.training.data.dataset import load_labels, load_records, split_names
from claimstance.training.evaluate_model import score
from claimstance.training.evaluation.baselines import majority, regression
from claimstance.training.evaluation.scoring import plain_figures


def main() -> None:
    """Score a model and everything that it is compared with, and write both files."""
    parser = figures_parser(__doc__)
    parser.add_argument("data", type=Path, help="the dataset built from configs/small.yaml")
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
        exit_with_error(parser, error)
    page = render(figures)
    write_figures(folder, "accuracy", figures, page)
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
    """Return the content of ``accuracy.json``.

    Args:
        model: ``small``, ``base`` or a folder.
        data: the folder of the dataset.
        split: the split to score.
        corpora: the folder that holds ``polnear``, for the agreement of its annotators.
        float32: a folder with the float32 weights, to be scored as well.
        words: whether to fit the regression on words.
    """
    records = load_records(data, split)
    # Agreement comes first: a wrong folder of corpora shows before anything slow begins.
    agreement = _agreement(data, records, corpora)
    # These results do not depend on each other, so each is computed in a process of its own.
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        model_job = pool.submit(score, model, data, split)
        baselines_job = pool.submit(_baselines, data, split, words)
        float32_job = pool.submit(score, float32, data, split, exact=True) if float32 else None
    account, outcomes = model_job.result()
    comparisons = {"people": agreement, **baselines_job.result()}
    figures = {
        **head(account["model"]["sha256"]),
        "data_fingerprint": account["data"]["fingerprint"],
        "split": split,
    }
    if float32_job:
        float32_account, _ = float32_job.result()
        comparisons["float32"] = float32_account["results"]
        figures["float32_sha256"] = float32_account["model"]["sha256"]
    results = account["results"]
    figures["rows"] = [
        *accuracy_rows.headline(results, comparisons, split),
        *accuracy_rows.calibration(results),
        *accuracy_rows.abstention(results),
        *accuracy_rows.people(agreement),
        *accuracy_rows.clean_parts(results),
        *accuracy_rows.classes(results),
        *accuracy_rows.outlets(outcomes, records),
    ]
    return figures


def _baselines(data: Path, split: str, words: bool) -> dict[str, accuracy_rows.Results]:
    """Return the results of the baselines that are fitted on the dataset's train split."""
    records, labels, splits = load_records(data, split), load_labels(data), split_names(data)
    train = load_records(data, "train") if "train" in splits else []
    dev = load_records(data, "dev") if "dev" in splits else []
    results = {"majority": plain_figures(majority(train, records, labels))}
    if words:
        results["words"] = plain_figures(regression(train, dev, records, labels)[0])
    return results


def _agreement(
    data: Path, records: Sequence[Record], corpora: Path | None
) -> accuracy_rows.Results:
    """Return figures of annotators scored against each other.

    On PolNeAR, all articles that several people annotated are used: each part has few of them.
    """
    agreement = dict(between_answers(records, load_labels(data)["stance"]))
    if corpora:
        polnear = lookup("polnear")
        annotated: list[Record] = []
        for part_name in polnear.splits:
            annotated += polnear.read(corpora / "polnear", part_name, annotator="all")
        # The dataset has the same sentences under the name of the corpus that adds stances to them.
        for name, figures in between_articles(annotated).items():
            agreement[name.replace("polnear/", "polnear-stance/")] = figures
    return plain_figures(agreement)


if __name__ == "__main__":
    main()
