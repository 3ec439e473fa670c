"""Test that damaged exports give records or one clear error, never a traceback."""

import io
import json
import random
import shutil
import zipfile
import zlib

import outcomes
import pytest
from damage import damaged, replaced
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.paths import DATA

SAMPLES = sorted(
    path
    for path in DATA.rglob("*")
    if path.is_file() and not {"broken", "articles"} & {*path.parts}
)


def check_outcome(path):
    """Read a file strictly and leniently, and accept only records or a clear error."""
    for lenient in (False, True):
        outcomes.records(path, lenient)


@pytest.fixture
def place(tmp_path_factory):
    """Return a function that copies the folder of a sample, since files of some formats belong together."""

    def copy(sample):
        folder = tmp_path_factory.mktemp("damaged") / sample.parent.name
        shutil.copytree(sample.parent, folder)
        return folder / sample.name

    return copy


slow = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: str(path.relative_to(DATA)))
@slow
@given(seed=st.integers(0, 2**32))
def test_damaged_bytes(sample, seed, place, tmp_path_factory):
    path = (
        place(sample)
        if sample.parent.parent.name == "brat"
        else tmp_path_factory.mktemp("d") / sample.name
    )
    path.write_bytes(damaged(sample.read_bytes(), random.Random(seed)))
    check_outcome(path)


@pytest.mark.parametrize(
    "sample",
    [s for s in SAMPLES if s.suffix in (".json", ".jsonl")],
    ids=lambda path: str(path.relative_to(DATA)),
)
@slow
@given(seed=st.integers(0, 2**32))
def test_damaged_json(sample, seed, tmp_path_factory):
    rng = random.Random(seed)
    path = tmp_path_factory.mktemp("d") / sample.name
    text = sample.read_text(encoding="utf-8-sig")
    if sample.suffix == ".json":
        data = json.loads(text)
        replaced(data, rng)
        path.write_text(json.dumps(data), encoding="utf-8")
    else:
        rows = [json.loads(line) for line in text.splitlines() if line.strip()]
        replaced(rows, rng)
        path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    check_outcome(path)


def workbook(path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in (["text", "label"], ["It fell 🚲.", "claim"], ["Rain.", "no_claim"]):
        book.active.append(row)
    book.save(path)


def parquet(path):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(
        pyarrow.table({"text": ["It fell 🚲.", "Rain."], "label": ["claim", "no_claim"]}), path
    )


def docbin(path):
    spacy = pytest.importorskip("spacy")
    docs = [spacy.blank("xx")(text) for text in ("Ida Holm left 🚲.", "It rained.")]
    docs[0].cats = {"CLAIM": 1.0}
    docs[0].ents = [docs[0].char_span(0, 8, "PERSON")]
    pytest.importorskip("spacy.tokens").DocBin(store_user_data=True, docs=docs).to_disk(path)


def outside(data, rng):
    return damaged(data, rng)


def inside_zip(data, rng):
    """Damage one file of a workbook, and keep the zip archive intact."""
    output = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(output, "w") as target:
        names = source.namelist()
        chosen = rng.choice(
            [name for name in names if name.startswith("xl/") and name.endswith(".xml")]
        )
        for name in names:
            content = source.read(name)
            target.writestr(name, damaged(content, rng) if name == chosen else content)
    return output.getvalue()


def inside_zlib(data, rng):
    return zlib.compress(damaged(zlib.decompress(data), rng))


@pytest.mark.parametrize(
    ("name", "write", "damage"),
    [
        ("x.xlsx", workbook, outside),
        ("x.xlsx", workbook, inside_zip),
        ("x.parquet", parquet, outside),
        ("x.spacy", docbin, outside),
        ("x.spacy", docbin, inside_zlib),
    ],
)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 2**32))
def test_damaged_binaries(name, write, damage, seed, tmp_path_factory):
    path = tmp_path_factory.mktemp("d") / name
    write(path)
    path.write_bytes(damage(path.read_bytes(), random.Random(seed)))
    check_outcome(path)
