"""Write seeds/label-studio.json: four seed articles as Label Studio exports them, marked by two annotators.

The first, "anna", is the seed annotation. The second, "ben", is made from it by chance (seed 7): he leaves out some
attributions and judges some stances and check-worthiness otherwise, so that there is a disagreement to measure.

    python tools/seed_export.py
"""

import random
from pathlib import Path

from claimstance.model.labels import CHECK_WORTHY, STANCE
from claimstance.model.record import Record, Stance, read_jsonl
from claimstance.training.data.formats.label_studio.writer import write

SEEDS = Path(__file__).resolve().parent.parent / "seeds"
ARTICLES = 4


def main() -> None:
    """Write the export."""
    records = list(read_jsonl(SEEDS / "records.jsonl"))
    chosen = list(dict.fromkeys(record.doc_id for record in records))[:ARTICLES]
    rng = random.Random(7)
    both = []
    for record in records:
        if record.doc_id in chosen:
            meta = {name: value for name, value in record.meta.items() if name != "corpus"}
            anna = record.model_copy(
                update={"annotator": "anna", "stances": spans_only(record), "meta": meta}
            )
            both += [anna, otherwise(anna, rng)]
    write(
        sorted(both, key=lambda r: (str(r.doc_id), str(r.annotator))), SEEDS / "label-studio.json"
    )


def spans_only(record: Record) -> list[Stance]:
    """The stances toward what the sentence mentions: others have no region to be said of."""
    return [
        s
        for s in record.stances or ()
        if isinstance(s.target, list) and not isinstance(s.holder, str)
    ]


def otherwise(record: Record, rng: random.Random) -> Record:
    """The sentence as another annotator might have it."""
    attributions = [a for a in record.attributions or () if rng.random() > 0.08]
    stances = [
        s.model_copy(update={"label": rng.choice(STANCE)}) if rng.random() < 0.15 else s
        for s in record.stances or ()
    ]
    worthy = (
        record.check_worthy
        if rng.random() > 0.1
        else CHECK_WORTHY[record.check_worthy == CHECK_WORTHY[0]]
    )
    claim = "claim" if any(a.content for a in attributions) else "no_claim"
    return record.model_copy(
        update={
            "annotator": "ben",
            "attributions": attributions,
            "stances": stances,
            "check_worthy": worthy,
            "claim": claim,
        }
    )


if __name__ == "__main__":
    main()
