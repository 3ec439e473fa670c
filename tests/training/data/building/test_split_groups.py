"""Test the division of rows into splits by document, outlet, date and target."""

import random
from collections import Counter

import numpy as np
import pytest

from claimstance.model.errors import InputError
from claimstance.model.record import Record, Stance, text_key, write_jsonl
from claimstance.training.data.build import build
from claimstance.training.data.building.groups import (
    combine_keys,
    is_duplicated,
    pair_equal_keys,
    union_groups,
)
from claimstance.training.data.building.split_groups import (
    GroupedRows,
    achieved_shares,
    split_by_date,
    split_stratified,
)
from claimstance.training.data.config import DataConfig
from claimstance.training.data.dataset import load_records
from helpers.data.builds import WORDS

SHARES = {"train": 0.8, "dev": 0.1, "test": 0.1}


def division(groups, labels=None):
    """Return a split problem whose rows have these groups and labels."""
    first = {group: index for index, group in reversed(list(enumerate(groups)))}
    names = sorted(set(labels or ["x"]))
    return GroupedRows(
        np.array([first[group] for group in groups]),
        np.array([names.index(label) for label in labels or ["x"] * len(groups)], dtype=np.int32),
        [(("rows", 1), (f"claim {name}", 1)) for name in names],
    )


def split_names(codes):
    return [list(SHARES)[code] for code in codes]


def test_splits_are_stratified_and_never_empty():
    labels = ["claim" if i % 50 < 5 else "no_claim" for i in range(500)]
    chosen = split_names(
        split_stratified(division([i // 5 for i in range(500)], labels), SHARES, 3)
    )
    rare = Counter(split for split, label in zip(chosen, labels, strict=True) if label == "claim")
    assert Counter(chosen) == {"train": 400, "dev": 50, "test": 50}
    assert rare == {"train": 40, "dev": 5, "test": 5}
    few = division([i // 30 for i in range(90)])
    assert Counter(split_names(split_stratified(few, SHARES, 3))) == {
        "train": 30,
        "dev": 30,
        "test": 30,
    }
    assert set(split_names(split_stratified(few, {"train": 0.5, "dev": 0.5, "test": 0.0}, 3))) == {
        "train",
        "dev",
    }
    with pytest.raises(InputError, match="expected at least 3 documents or sentences that differ"):
        split_stratified(division([0, 0, 1]), SHARES, 3)


def test_the_seed_decides_between_groups_of_equal_size():
    rows = division(range(100))
    first, repeated, reseeded = (
        split_stratified(rows, SHARES, seed).tolist() for seed in (1, 1, 2)
    )
    assert first == repeated != reseeded
    assert Counter(first) == Counter(reseeded)


def test_groups_are_not_cut():
    rng = random.Random(0)
    groups = sorted(rng.randrange(80) for _ in range(600))
    codes = split_stratified(division(groups), SHARES, 1)
    assert len({(group, code) for group, code in zip(groups, codes.tolist(), strict=True)}) == len(
        set(groups)
    )


def test_the_latest_days_are_tested_on_and_no_day_is_cut():
    days = np.array([5, 1, 1, 2, 9, 3, 3, 3, 8, 7], dtype=np.int32)
    codes = split_names(
        split_by_date(days, division(range(10)), {"train": 0.6, "dev": 0.2, "test": 0.2})
    )
    # Sorted: 1 1 2 3 3 3 | 5 7 | 8 9: exactly six, two and two rows.
    assert [codes[index] for index in (1, 2, 3, 5, 6, 7)] == ["train"] * 6
    assert [codes[index] for index in (0, 9)] == ["dev"] * 2
    assert [codes[index] for index in (8, 4)] == ["test"] * 2
    with pytest.raises(InputError, match="expected at least 3 days"):
        split_by_date(np.array([1, 1, 2, 2], dtype=np.int32), division(range(4)), SHARES)
    # The shares cannot be met, but every split has a day.
    crowded = np.array([1] + [2] * 50 + [3], dtype=np.int32)
    assert Counter(split_names(split_by_date(crowded, division(range(52)), SHARES))) == {
        "train": 1,
        "dev": 50,
        "test": 1,
    }


def test_a_group_goes_by_its_latest_day():
    days = np.array([1, 9, 2, 3, 4, 5], dtype=np.int32)
    codes = split_names(
        split_by_date(days, division([0, 0, 2, 3, 4, 5]), {"train": 0.5, "dev": 0.17, "test": 0.33})
    )
    assert codes == ["test", "test", "train", "train", "train", "dev"]


def test_achieved_shares():
    rows = division(range(4), ["a", "a", "a", "b"])
    shares = achieved_shares(
        rows, np.array([0, 0, 1, 2], dtype=np.int8), {"train": 0.5, "dev": 0.25, "test": 0.25}
    )
    assert shares == {
        "train": {"rows": [0.5, 0.5], "claim a": [0.5, 0.6667], "claim b": [0.5, 0.0]},
        "dev": {"rows": [0.25, 0.25], "claim a": [0.25, 0.3333], "claim b": [0.25, 0.0]},
        "test": {"rows": [0.25, 0.25], "claim a": [0.25, 0.0], "claim b": [0.25, 1.0]},
    }


def test_rows_with_an_equal_key_in_any_column_are_united():
    rng = random.Random(5)
    keys = [(rng.randrange(300), rng.randrange(300)) for _ in range(400)]
    groups = np.arange(400)
    for column in range(2):
        groups = union_groups(
            groups, pair_equal_keys(np.array([key[column] + 1 for key in keys], dtype=np.uint64))
        )
    parents = {row: row for row in range(400)}  # computed in another way: until nothing changes
    changed = True
    while changed:
        changed = False
        for first in range(400):
            for second in range(first):
                if parents[first] != parents[second] and any(
                    a == b for a, b in zip(keys[first], keys[second], strict=True)
                ):
                    low, high = sorted((parents[first], parents[second]))
                    parents = {
                        row: low if parent == high else parent for row, parent in parents.items()
                    }
                    changed = True
    assert groups.tolist() == list(parents.values())


def test_rows_without_a_key_are_not_united():
    keys = np.array([0, 7, 0, 7, 8], dtype=np.uint64)
    assert union_groups(np.arange(5), pair_equal_keys(keys)).tolist() == [0, 1, 2, 1, 4]
    assert is_duplicated(keys).tolist() == [False, True, False, True, False]
    pairs = combine_keys(keys, np.array([1, 1, 2, 2, 1]))
    assert (pairs[0], pairs[2]) == (0, 0)
    assert len(set(pairs.tolist())) == 4  # 7 with 1 and 7 with 2 are two keys
    assert (
        combine_keys(keys, np.array([0, 3, 0, 3, 1]))[1]
        == combine_keys(keys, np.array([0, 3, 0, 3, 1]))[3]
    )


def rows(count, seed=0, **meta):
    rng = random.Random(seed)
    return [
        Record(
            id=str(i),
            text=" ".join(rng.choices(WORDS, k=9)) + f" {i}.",
            claim=rng.choice(["claim", "no_claim"]),
            meta={name: value(i, rng) for name, value in meta.items()},
        )
        for i in range(count)
    ]


def built(folder, records, name="x", **split):
    path = folder / f"{name}.jsonl"
    with path.open("w", encoding="utf-8") as file:
        write_jsonl(records, file)
    config = DataConfig.model_validate(
        {"path": "x", "sources": [{"files": [str(path)]}], "split": split}
    )
    out = folder / f"{name}-{'-'.join(map(str, split.values()))}"
    report = build(config, out)
    return report, {split: load_records(out, split) for split in report.rows}


def splits_of(splits, key):
    """Return the names of the splits in which each value of a key occurs."""
    names = {}
    for name, records in splits.items():
        for record in records:
            for value in key(record):
                names.setdefault(value, set()).add(name)
    return names


def test_outlets_are_held_out(tmp_path):
    records = rows(
        400,
        outlet=lambda i, rng: rng.choice(
            ["Post", "Times", "Herald", "Sun", "Mail", "Echo", "post"]
        ),
    )
    report, splits = built(tmp_path, records, by="outlet")
    outlet_splits = splits_of(splits, lambda r: [r.meta["outlet"].casefold()])
    assert len(outlet_splits) == 6
    assert all(len(names) == 1 for names in outlet_splits.values())
    assert set(splits) == set(SHARES)
    assert report.division.by == "outlet"
    assert report.division.groups == 6
    assert [overlap.outlets for overlap in report.overlaps] == [0, 0, 0]
    assert report.division.shares["train"]["rows"] == [0.8, round(len(splits["train"]) / 400, 4)]


def test_later_days_are_held_out(tmp_path):
    records = rows(
        300, date=lambda i, rng: f"2024-{1 + i % 12:02}-{rng.randrange(1, 29):02}T08:00:00Z"
    )
    _, splits = built(tmp_path, records, by="date")
    days = {name: [record.meta["date"][:10] for record in split] for name, split in splits.items()}
    assert max(days["train"]) < min(days["dev"])
    assert max(days["dev"]) < min(days["test"])
    assert abs(len(splits["train"]) - 240) <= 5


def test_targets_are_held_out(tmp_path):
    rng = random.Random(2)
    records = []
    for i, record in enumerate(rows(300)):
        topic = rng.randrange(20)
        records.append(
            record.model_copy(
                update={
                    "text": f"Topic{topic} {record.text}",
                    "stances": [
                        Stance(
                            target=[(0, len(f"Topic{topic}"))] if i % 3 else f"topic{topic}",
                            label="favor",
                        ),
                        *([Stance(target="Topic0", label=None)] if topic == 1 else []),
                    ],
                }
            )
        )
    report, splits = built(tmp_path, records, by="target")
    topic_splits = splits_of(splits, lambda r: [r.text.split()[0]])
    assert all(len(names) == 1 for names in topic_splits.values())
    assert topic_splits["Topic0"] == topic_splits["Topic1"]  # a row has both
    assert report.division.groups == 19
    assert [overlap.targets for overlap in report.overlaps] == [0, 0, 0]


@pytest.mark.parametrize("by", ["document", "outlet", "date", "target"])
def test_documents_texts_and_near_duplicates_stay_in_one_split(tmp_path, by):
    rng = random.Random(8)
    records = []
    for i in range(360):
        number = rng.randrange(120)
        words = [f"w{random.Random(number).randrange(10**6) + k}" for k in range(16)]
        if rng.random() < 0.3:
            words[-1] = f"other{i}"  # 13 runs of 15 in common, of 14 in each: 13 / 15
        records.append(
            Record(
                id=str(i),
                doc_id=f"d{i // 4}" if i < 60 else None,
                text=" ".join(words),
                stances=[Stance(target=f"t{number // 2}", label="favor")],
                meta={"outlet": f"o{number // 3}", "date": f"2024-01-{1 + number % 28:02}"},
            )
        )
    report, splits = built(tmp_path, records, by=by)
    assert set(splits) == set(SHARES)
    for key in (
        lambda r: [r.doc_id] if r.doc_id else [],
        lambda r: [text_key(r.text)],
        lambda r: [" ".join(r.text.split()[:15])],
    ):
        assert all(len(names) == 1 for names in splits_of(splits, key).values())
    assert [(o.exact, o.near, o.documents) for o in report.overlaps] == [(0, 0, 0)] * 3
    assert report.division.near == 0.8


def test_near_duplicates_may_be_ignored(tmp_path):
    words = [[f"w{number}x{k}" for k in range(16)] for number in range(60)]
    records = [
        Record(id=f"{number}-{copy}", text=" ".join([*words[number], f"end{copy}"]), claim="claim")
        for number in range(60)
        for copy in range(3)
    ]
    report, _ = built(tmp_path, records, near=None)
    assert report.division.groups == 180
    assert sum(overlap.near for overlap in report.overlaps) > 20
    report, _ = built(tmp_path, records, near=0.8)
    assert (report.division.groups, report.division.largest_group) == (60, 3)


def test_folds_are_complementary(tmp_path):
    records = rows(203)
    records = [r.model_copy(update={"doc_id": f"d{i // 3}"}) for i, r in enumerate(records)]
    tested, sizes = [], []
    for fold in range(5):
        report, splits = built(tmp_path, records, folds=5, fold=fold)
        tested += [r.id for r in splits["test"]]
        sizes.append({name: len(split) for name, split in splits.items()})
        assert report.division.shares["train"]["rows"][0] == 0.6
    assert sorted(tested) == sorted(r.id for r in records)
    assert all(38 <= size["test"] <= 43 for size in sizes)
    assert [size["dev"] for size in sizes] == [size["test"] for size in sizes[1:] + sizes[:1]]
    with pytest.raises(InputError, match=r"expected at least 68 documents .*fold 0"):
        built(tmp_path, records[:20], "few", folds=68)


def test_short_texts_do_not_unite_documents(tmp_path):
    def sentence(document, number):
        text = (
            "He said no."
            if number == 2
            else " ".join(f"w{document}x{number}x{k}" for k in range(12))
        )
        return Record(id=f"{document}:{number}", doc_id=f"d{document}", text=text, claim="claim")

    records = [sentence(document, number) for document in range(40) for number in range(3)]
    # These sentences belong to no document.
    records += [Record(id=f"alone{i}", text="Rain fell.", claim="claim") for i in range(5)]
    report, splits = built(tmp_path, records)
    assert (report.division.groups, report.division.largest_group, report.division.short) == (
        41,
        5,
        8,
    )
    assert all(
        len(names) == 1 for names in splits_of(splits, lambda r: [r.doc_id or "alone"]).values()
    )
    overlap = next(o for o in report.overlaps if (o.first, o.second) == ("train", "test"))
    assert (
        overlap.exact == overlap.short == sum(r.text == "He said no." for r in splits["test"]) > 0
    )
    with pytest.raises(InputError, match=r"expected at least 3 documents .* found 2"):
        built(tmp_path, records, short=0)


def test_outlets_that_copy_one_another_are_one_group(tmp_path):
    records = [
        Record(id=str(i), text=f"A wire story, number {i % 4}.", meta={"outlet": f"o{i // 4}"})
        for i in range(12)
    ]
    with pytest.raises(
        InputError, match=r"at least 3 outlets with no text in common .*data\.split\.near.* found 1"
    ):
        built(tmp_path, records, by="outlet")


def test_folds_by_date_are_consecutive_days(tmp_path):
    records = [
        Record(id=str(i), text=f"Text {i} of the day.", meta={"date": f"2024-01-{1 + i % 30:02}"})
        for i in range(300)
    ]
    stretches = []
    for fold in range(3):
        _, splits = built(tmp_path, records, by="date", folds=3, fold=fold)
        days = sorted({r.meta["date"] for r in splits["test"]})
        assert not set(days) & {r.meta["date"] for name in ("train", "dev") for r in splits[name]}
        stretches.append(days)
    assert [day for days in stretches for day in days] == [
        f"2024-01-{day:02}" for day in range(1, 31)
    ]
    assert [len(days) for days in stretches] == [10, 10, 10]


@pytest.mark.parametrize(
    ("by", "meta", "message"),
    [
        (
            "outlet",
            {"date": "2024-01-01"},
            r"x\.jsonl: 1: meta\.outlet: expected an outlet, .* found none \(2 such rows\)",
        ),
        (
            "date",
            {"outlet": "o"},
            r"x\.jsonl: 1: meta\.date: expected a date, to divide by it, found none \(2 such",
        ),
        (
            "date",
            {"date": "May 2024"},
            r"x\.jsonl: 1: meta\.date: expected a date such as 2024-01-31, found another",
        ),
        (
            "target",
            {},
            r"x\.jsonl: 1: stances: expected a target, to divide by it, found none \(2 such rows\)",
        ),
    ],
)
def test_missing_fields_are_reported_with_the_first_row(tmp_path, by, meta, message):
    complete = {"outlet": "o", "date": "2024-01-01"}
    records = [
        Record(
            id=str(i),
            text=f"Text number {i}.",
            stances=[] if i in (1, 3) else [Stance(target="t")],
            meta=meta if i in (1, 3) else complete,
        )
        for i in range(6)
    ]
    with pytest.raises(InputError, match=message):
        built(tmp_path, records, by=by)
