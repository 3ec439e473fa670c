"""Measure how well a bundled model finds stances in whole news articles.

    python benchmarks/stances.py CORPORA

or `make stances DATA=CORPORA`. CORPORA holds polnear/ and polnear-silver/; the labels of stances are in this
repository. Writes stances.json and, made from it, stances.md and stances.svg beside this file (of `--model base`: in
base/). The part *dev* is the reported test: choose on `--split tune --out FOLDER`. Drawing needs matplotlib, which the
extra `dev` has.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from figure_files import exit_with_error, figures_folder, figures_parser, head, write_figures
from readme_table import write_readme
from stance_articles import AnnotatedArticle, Answered, answer, check_tasks, load_articles
from stance_figures import all_figures, confidence_curve, second_annotator
from stances_page import CURVE, draw, make_rows, render

from claimstance.inference.cli.console import progress
from claimstance.inference.tagger import Tagger
from claimstance.model.errors import ClaimstanceError, ModelError
from claimstance.model.onnx.backend import load_predictor, model_folder
from claimstance.model.onnx.manifest import MANIFEST_FILE, read_manifest, sha256
from claimstance.model.predictor import Predictor

# Of progress for each article: it is tagged once, and its records are predicted three times.
STEPS = 4
WEIGHTS = "model.safetensors"


def main() -> None:
    """Measure the model, and write the figures, their page and their curve."""
    parser = figures_parser(__doc__)
    parser.add_argument("corpora", type=Path, help="the folder that holds polnear/")
    parser.add_argument(
        "--split",
        choices=("tune", "dev"),
        default="dev",
        help="tune for choices; then --out is needed",
    )
    parser.add_argument(
        "--float32", type=Path, help="a folder with float32 weights, to be measured beside"
    )
    parser.add_argument(
        "--limit", type=_positive, help="the first articles only; then --out is needed"
    )
    options = parser.parse_args()
    try:
        is_partial = options.split != "dev" or options.limit is not None
        folder = figures_folder(options.model, options.out, is_partial)
        figures = measure(
            options.corpora, options.split, options.model, options.float32, options.limit
        )
    except ClaimstanceError as error:
        exit_with_error(parser, error)
    page = render(figures)
    write_figures(folder, "stances", figures, page)
    draw(figures, folder / CURVE)
    if options.out is None:
        write_readme()
    print(page)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected a number of articles above 0, found {number}")
    return number


def measure(
    corpora: Path, split: str, model: str, float32: Path | None, limit: int | None
) -> dict[str, Any]:
    """Return the content of ``stances.json``.

    Args:
        corpora: the folder that holds ``polnear`` and ``polnear-silver``.
        split: ``tune`` or ``dev``.
        model: ``small``, ``base`` or a folder.
        float32: a folder with float32 weights, to be measured as well.
        limit: the number of articles; all of them if ``None``.

    Raises:
        InputError: if a corpus is missing.
        ModelError: if a model cannot be loaded, or lacks a task.
    """
    articles = load_articles(corpora, split, limit)
    predictor, digest = load_predictor(model)
    check_tasks(predictor.config)
    if float32:
        # Loaded before anything is measured, so that a wrong folder shows at once.
        float32_predictor, float32_digest = _load_float32(float32)
        check_tasks(float32_predictor.config)
    answered = _answer(predictor, digest, articles)
    figures = {
        **head(digest),
        "split": split,
        "articles": len(articles),
        "precision": read_manifest(model_folder(model) / MANIFEST_FILE).precision,
        "curves": {"model": confidence_curve(articles, answered.tagged)},
    }
    float32_figures = None
    if float32:
        float32_answered = _answer(float32_predictor, float32_digest, articles)
        float32_figures = all_figures(articles, float32_answered)
        figures["float32_sha256"] = float32_digest
        figures["curves"]["float32"] = confidence_curve(articles, float32_answered.tagged)
    figures["rows"] = make_rows(
        all_figures(articles, answered), second_annotator(articles), float32_figures
    )
    return figures


def _answer(predictor: Predictor, digest: str, articles: Sequence[AnnotatedArticle]) -> Answered:
    """Return what a model answers about the articles, with a display of the progress."""
    tagger = Tagger(predictor, digest)
    with progress("reading", STEPS * len(articles)) as advance:
        return answer(tagger.tag, predictor, articles, advance)


def _load_float32(folder: Path) -> tuple[Predictor, str]:
    """Return a predictor of a model's float32 weights, and their sha256."""
    from claimstance.model.network import ClaimStanceModel
    from claimstance.model.torch_backend import torch_predictor

    weights = folder / WEIGHTS
    if not weights.is_file():
        raise ModelError(f"{folder}: expected the float32 weights {WEIGHTS}, found no such file")
    return torch_predictor(ClaimStanceModel.from_pretrained(folder)), sha256(weights)


if __name__ == "__main__":
    main()
