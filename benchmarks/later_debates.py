"""Measure which scale, threshold and bias a check-worthiness head needs on later debates than those of its training.

    python benchmarks/later_debates.py CORPORA

CheckThat! 2024's dev part comes from the debates of its train part, its test part from later ones; the threshold that
is best on dev is not the best one on test. Therefore a head is trained here on the reader's part "earlier", the first
nine tenths of train and dev together, and biases are compared on "later". The test part is not used. The run takes
about ten minutes on two cores.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np

from claimstance.model.article.record_prediction import predict
from claimstance.model.onnx.backend import load_predictor
from claimstance.training.calibration.scaling import fit_scale
from claimstance.training.calibration.thresholds import best_threshold
from claimstance.training.config import Config
from claimstance.training.data.corpora import lookup
from claimstance.training.fine_tuning.train import train


def main() -> None:
    """Train on early debates, compare biases on later ones, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpora", type=Path, help="the folder that holds checkthat2024/")
    options = parser.parse_args()
    folder = options.corpora / "checkthat2024"
    corpus = lookup("checkthat2024")
    earlier = list(corpus.read(folder, "earlier"))
    later = list(corpus.read(folder, "later"))
    with tempfile.TemporaryDirectory() as scratch:
        config = Config.model_validate(
            {
                "output": scratch,
                "data": {"path": scratch},
                "training": {
                    "epochs": 3,
                    "precision": "bfloat16",
                    "learning_rate": 1e-4,
                    "head_learning_rate": 5e-4,
                },
            }
        )
        predictor, _ = load_predictor(train(config, {"train": earlier}, {}))
        predictions = predict(predictor, later)
        probability = np.array([(answer.check_worthy or {})["yes"] for answer in predictions])
    logits = np.log(np.stack([1 - probability, probability], axis=1))
    logit = logits[:, 1] - logits[:, 0]
    gold = np.array([record.check_worthy == "yes" for record in later])
    scale = fit_scale(logits, gold.astype(int), np.arange(len(gold)).astype(str))
    threshold = best_threshold(scale(logits)[:, 1], gold)
    print(
        f"bias {scale.biases[1]:.2f}, temperature {scale.temperature:.2f}, threshold {threshold:.2f}"
    )
    print(f"trained on {len(earlier)} sentences, measured on {len(later)}\n")
    print("| bias | precision | recall | F1 of Yes |\n|---|---|---|---|")
    for bias in np.arange(-1, 3.25, 0.25):
        predicted = logit + bias > 0
        n_correct, n_predicted, n_gold = (predicted & gold).sum(), predicted.sum(), gold.sum()
        precision, recall = n_correct / max(n_predicted, 1), n_correct / n_gold
        f1 = 2 * n_correct / (n_predicted + n_gold)
        print(f"| {bias:.2f} | {100 * precision:.1f} | {100 * recall:.1f} | {100 * f1:.1f} |")


if __name__ == "__main__":
    main()
