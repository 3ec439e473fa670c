"""Test the counts of frequent targets and sources in a report."""

from claimstance.model.record import Attribution, Record, Stance
from claimstance.training.data.build import build
from claimstance.training.data.config import DataConfig


def test_the_most_frequent_targets_and_sources_are_counted_by_split(tmp_path):
    def row(name, target, holder=None, source=None):
        return Record(
            id=name,
            text="Holm says the Tax is fair.",
            stances=[Stance(holder=holder, target=target, label="favor")],
            attributions=None if source is None else [Attribution(source=source)],
        )

    files = {
        "train": [
            row("a", "the tax"),
            row("b", [(10, 17)], "Holm", [(0, 4)]),
            row("c", "Noren", [(0, 4)]),
        ],
        "test": [row("d", "The  Tax", None, [(0, 4)])],
    }
    sources = []
    for split, records in files.items():
        path = tmp_path / f"{split}.jsonl"
        path.write_text("".join(record.to_json() + "\n" for record in records), encoding="utf-8")
        sources.append({"files": [str(path)], "split": split})
    report = build(DataConfig(path=tmp_path, sources=sources), tmp_path / "out")
    assert report.targets == [("the tax", {"train": 2, "test": 1}), ("noren", {"train": 1})]
    assert report.holders == [("holm", {"train": 2, "test": 1})]
    assert report.lengths.counts == {"train": [3], "test": [1]}  # six words each
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "the tax" in page
