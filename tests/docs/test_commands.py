"""Run the commands of README.md and docs/ in order, in a folder for each document.

``NOT_RUN`` lists the commands that cannot be run in a test, each with the reason; all others are run, new ones
automatically. ``test_integrations.py`` tests docs/integrations.md, section by section.
"""

import re
import shutil
import subprocess

import pytest

from claimstance.model.record import read_jsonl
from helpers.documents import docx, pdf
from helpers.program import ROOT, write
from helpers.snippets import DOCUMENTS, blocks, lines, python, stages

CORPORA = "needs the public corpora"
SERVER = "runs until it is stopped: test_server_process.py"
NOT_RUN = {
    "claimstance build configs/small.yaml --no-teachers --corpora corpora --out runs/figures-data": CORPORA,
    "claimstance evaluate small --data runs/figures-data --split test": CORPORA,
    "claimstance train configs/small.yaml data.corpora=corpora": CORPORA,
    "claimstance serve": SERVER,
    "CLAIMSTANCE_TOKEN=$(openssl rand -hex 24) claimstance serve --host 0.0.0.0": SERVER,
}
ELSEWHERE = {"docs/integrations.md"}
CALL = re.compile(r"(?:^|[|;&)]\s*|\s)claimstance\s+[a-z-]")
PARAGRAPHS = (
    "Runa Salt accused Orvane of greed over the cod. She said that the nets were empty before summer began.",
    "Emil Draycott rejected the charge on Monday and said he admired the minister for her imagination.",
)
PAGE = "<html><head><title>Cod</title></head><body><article><h1>Cod</h1>{}</article></body></html>"


def calls(block):
    """Return the calls in a block that can be run."""
    if block.kind:
        return []
    return [line for line in lines(block) if CALL.search(line) and line not in NOT_RUN]


WALKED = [
    document
    for document in DOCUMENTS
    if document not in ELSEWHERE
    and any(block.kind == "python" or calls(block) for block in blocks(document))
]


@pytest.fixture
def project(workdir, monkeypatch):
    """Return a folder with the project's seeds and configurations, and files as users have them."""
    pyarrow, pq = (pytest.importorskip(name) for name in ("pyarrow", "pyarrow.parquet"))
    for folder in ("seeds", "configs"):
        shutil.copytree(ROOT / folder, workdir / folder)
    article = "Cod Talks Open\n" + "\n".join(PARAGRAPHS)
    for name in ("article.txt", "articles/a.txt", "articles/b.txt"):
        write(name, article)
    page = PAGE.format("".join(f"<p>{paragraph}</p>" for paragraph in PARAGRAPHS * 3))
    for name in ("page.html", "pages/a.html"):
        write(name, page)
    (workdir / "report.pdf").write_bytes(pdf(PARAGRAPHS))
    (workdir / "letter.docx").write_bytes(docx(*PARAGRAPHS))
    write("news.csv", f"key,kicker,story,body\n1,Cod,{PARAGRAPHS[0]},{PARAGRAPHS[1]}\n")
    pq.write_table(pyarrow.table({"id": ["1", "2"], "text": PARAGRAPHS}), "news.parquet")
    write(
        "labelled.csv",
        "text,label\n"
        + "".join(
            f"{name} {verb} the plan for harbour {number}.,{verb}\n"
            for number in range(20)
            for name, verb in (("Salt", "praised"), ("Draycott", "attacked"))
        ),
    )
    records = list(read_jsonl(workdir / "seeds" / "records.jsonl"))[:8]
    write("records.jsonl", "".join(f"{record.model_dump_json()}\n" for record in records))
    export = (workdir / "seeds" / "label-studio.json").read_text(encoding="utf-8")
    write("export.json", export.replace('"Source"', '"Sprecher"').replace('"Content"', '"Aussage"'))
    return workdir


@pytest.fixture
def call(run, tiny_encoder):
    """Return a function that runs a line as a shell would, with shorter training, and returns its output."""
    shorter = (
        f"model.encoder={tiny_encoder}",
        "model.max_tokens=64",
        "training.epochs=1",
        "training.threads=1",
    )

    def run_command(words, stdin):
        if words[0] == "claimstance":
            result = run(*words[1:], *(shorter if words[1] == "train" else ()), stdin=stdin)
            assert result.code == 0, result.messages
            return result.out.encode()
        if shutil.which(words[0]) is None:
            pytest.skip(f"needs {words[0]}")
        return subprocess.run(words, input=stdin, capture_output=True, check=True).stdout

    def run_line(line):
        pipeline, file = stages(line)
        output = b""
        for words in pipeline:
            output = run_command(words, output)
        if file is not None:
            write(file, output.decode())
        return output.decode()

    return run_line


@pytest.mark.slow
@pytest.mark.parametrize("document", WALKED)
def test_commands_and_programs_of_a_document_run(project, call, trained, document):
    for module in ("trafilatura", "pypdf", "docx", "pyarrow", "pandas", "matplotlib"):
        pytest.importorskip(module)
    if document == "docs/evaluation.md":  # it continues docs/annotations.md
        shutil.copytree(trained, "runs/study", ignore=shutil.ignore_patterns("checkpoints"))
        call("claimstance build seeds/label-studio.json --out runs/study-data")
    for block in blocks(document):
        if block.kind == "python":
            assert python(block.text)
        for line in calls(block):
            call(line)


def test_commands_that_are_not_run_exist():
    documented = set()
    for document in DOCUMENTS:
        for block in blocks(document):
            documented.update(lines(block))
    assert set(NOT_RUN) <= documented


def test_a_line_is_parsed_as_by_a_shell():
    pipeline, file = stages(
        """cat a.txt | claimstance tag - --target "the strike" | jq '.sources | size' > b.json"""
    )
    assert pipeline == [
        ["cat", "a.txt"],
        ["claimstance", "tag", "-", "--target", "the strike"],
        ["jq", ".sources | size"],
    ]
    assert file == "b.json"


def test_readme_quotes_attributions_that_the_bundled_model_finds():
    from claimstance.inference import Tagger

    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(
        r"^\| (\d+) \| (.+?) \| (.+?) \| (.+?) \| (.+?) \| (.*?) ?\|$", readme, re.MULTILINE
    )
    text = (ROOT / "seeds" / "demo.txt").read_text(encoding="utf-8")
    article = Tagger.from_pretrained().tag(text, targets=["Orvane"])
    predicted_rows = set()
    for sentence in article.sentences:
        stances = {s.holder: s.label for s in sentence.stances if not s.abstained}
        for attribution in sentence.attributions:
            source, cue, content = attribution.source, attribution.cue, attribution.content
            if source and cue and content:
                stance = stances.get(source.name, "")
                row = (source.text, source.name, cue.text, content.text, stance)
                predicted_rows.add((str(sentence.index), *row))
    assert len(rows) == 4
    assert set(rows) <= predicted_rows
