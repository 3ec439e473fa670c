"""Make corpora with known answers, and samples of them that are coded as by a person."""

import csv
import io
from dataclasses import replace
from pathlib import Path

import numpy as np

from claimstance.inference.corpus.sampling.drawing import draw_sample
from claimstance.inference.corpus.sampling.sheets import write_sample
from claimstance.inference.corpus.sampling.units import UnitKind
from claimstance.inference.results import Label
from helpers.results import tagged, write_results

STANCES = ("against", "neutral", "favor")
CLAIMS = ("no_claim", "claim")


def article(doc_id, stances=(), claims=(), outlet="Bay Post", target="the dam"):
    """Return an article with a sentence for each claim label, then one for each stance label."""
    tagged_article = tagged(
        doc_id,
        says=[(f"Speaker {number}", f"line {number}") for number in range(len(claims))],
        stances=[(f"Orr {number}", target, label) for number, label in enumerate(stances)],
        outlet=outlet,
    )
    statements = tagged_article.sentences[: len(claims)]
    stance_sentences = tagged_article.sentences[len(claims) :]
    sentences = [
        replace(sentence, claim=Label(label, 0.8, _shares(CLAIMS, label)))
        for sentence, label in zip(statements, claims, strict=True)
    ]
    for sentence in stance_sentences:
        stances = [
            replace(stance, probabilities=_shares(STANCES, stance.label))
            for stance in sentence.stances
        ]
        claim = Label("no_claim", 0.8, _shares(CLAIMS, "no_claim"))
        sentences.append(replace(sentence, stances=stances, claim=claim))
    return replace(tagged_article, sentences=sentences)


def corpus(path, articles=60, outlets=("Bay Post", "Coast Herald"), stances=5, seed=3):
    """Write results in which about two of five sides are *favor*, with the outlets assigned to articles in turn."""
    rng = np.random.default_rng(seed)
    return write_results(
        path,
        *(
            article(
                f"a{number}",
                rng.choice(["favor", "against"], size=stances, p=[0.4, 0.6]).tolist(),
                outlet=outlets[number % len(outlets)],
            )
            for number in range(articles)
        ),
    )


def sheet(results, out, code, size=60, by=("label",), kind=UnitKind.stances):
    """Draw a sample into a CSV file and fill it; ``code`` returns the label of a row, or an empty one."""
    write_sample(draw_sample([Path(results)], kind, size, by), Path(out))
    return fill(out, code)


def fill(path, code):
    """Fill the column ``gold`` of a sheet, row by row."""
    rows = list(csv.DictReader(io.StringIO(Path(path).read_text(encoding="utf-8"), newline="")))
    for row in rows:
        row["gold"] = code(row)
    write_rows(path, rows)
    return Path(path)


def write_rows(path, rows, delimiter=","):
    """Write the rows of a sheet."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(rows[0]), delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    Path(path).write_text(out.getvalue(), encoding="utf-8")


def read_rows(path):
    """Return the rows of a sheet."""
    return list(csv.DictReader(io.StringIO(Path(path).read_text(encoding="utf-8"), newline="")))


def _shares(labels, chosen):
    """Return probabilities in which the chosen label has 0.8."""
    return {label: 0.8 if label == chosen else 0.2 / (len(labels) - 1) for label in labels}
