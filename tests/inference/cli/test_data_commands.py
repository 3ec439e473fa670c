"""Test the commands for annotated data: their output, their files and their exit codes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from claimstance.model.labels import DEFAULT_LABELS, ROLES
from claimstance.training.data.codebook import check_against, label_sets, load_codebook
from claimstance.training.load_config import load_config
from helpers.program import PROGRAM, articles, write

GOOD = [
    {
        "id": f"{label}{i}",
        "text": f"Holm spoke of the bridge, {label}, {i}.",
        "stances": [{"target": "bridge", "label": label}],
    }
    for label in DEFAULT_LABELS["stance"]
    for i in range(10)
]


def write_records(name, *rows):
    write(name, "".join(json.dumps(row) + "\n" for row in rows))


def test_clean_data_has_no_findings(run):
    write_records("good.jsonl", *GOOD)
    done = run("check", "good.jsonl", "--strict")
    assert (done.code, done.out, done.messages) == (0, "30 records: 0 errors, 0 warnings\n", [])


def test_warnings_fail_only_with_strict(run):
    write_records("r.jsonl", *GOOD, {"id": "x", "text": "<i>Rain.</i>"})
    done = run("check", "r.jsonl")
    line = "r.jsonl:31: warning markup: text: expected plain text, found markup (<i>)"
    assert (done.code, done.out.splitlines()) == (0, [line, "31 records: 0 errors, 1 warning"])
    assert run("check", "r.jsonl", "--strict").code == 1


def test_errors_exit_with_1(run):
    write_records("r.jsonl", *GOOD, {"id": "x", "text": ""})
    done = run("check", "r.jsonl")
    assert (done.code, done.messages) == (1, [])
    assert done.out.endswith("31 records: 1 error, 0 warnings\n")


def test_findings_are_written_as_json_lines(run):
    write_records("r.jsonl", {"id": "x", "text": ""})
    run("check", "r.jsonl", "--out", "found.jsonl")
    assert articles(Path("found.jsonl").read_text(encoding="utf-8")) == [
        {
            "severity": "error",
            "code": "empty-text",
            "file": "r.jsonl",
            "line": 1,
            "record": "x",
            "message": "text: expected a text, found an empty one",
        }
    ]


def test_tables_are_checked_with_column_options(run):
    write("t.csv", "Satz,Urteil,Thema\n" + "".join(f"Satz {i}.,favor,Brücke\n" for i in range(10)))
    done = run(
        "check",
        "t.csv",
        "--column",
        "text=Satz",
        "--column",
        "label=Urteil",
        "--column",
        "target=Thema",
    )
    assert [line.split(": ")[1] for line in done.out.splitlines()[:-1]] == [
        "warning unused-label",
        "warning unused-label",
        "warning one-label",
        "warning unmentioned-target",
    ]


def test_a_configuration_is_checked_against_its_codebook(run):
    write("t.csv", "text,label\nRain.,pro\nSun.,cob\n")
    write("book.yaml", "labels:\n  claim: {pro: For it., con: Against it.}\n")
    write(
        "c.yaml",
        "output: o\ndata:\n  path: d\n  codebook: book.yaml\n  sources:\n    - files: [t.csv]\n",
    )
    done = run("check", "c.yaml")
    assert done.code == 1
    assert (
        "t.csv:3: error unknown-label: claim: unknown label 'cob'. Did you mean 'con'?" in done.out
    )
    assert run("check", "t.csv", "--codebook", "book.yaml").out == done.out


def test_a_fixed_file_needs_no_further_fixes(run):
    rows = [
        *GOOD,
        {**GOOD[0], "id": "again"},
        {"id": "x", "text": "Rain. ", "stances": [{"target": "Bridge ", "label": "Favor"}]},
    ]
    write_records("r.jsonl", *rows)
    done = run("check", "r.jsonl", "--fix", "new/fixed.jsonl")
    assert done.code == 1  # the input has findings
    assert done.out.splitlines()[-1] == (
        "new/fixed.jsonl: 31 records written; exact repeats left out: 1; labels spelt "
        "as in their set: 1; target names made alike: 1"
    )
    fixed = articles(Path("new/fixed.jsonl").read_text(encoding="utf-8"))
    assert [row["id"] for row in fixed] == [*(row["id"] for row in GOOD), "x"]
    assert fixed[-1]["text"] == "Rain. "
    recheck = run("check", "new/fixed.jsonl", "--fix", "fixed2.jsonl")
    assert (recheck.code, recheck.out.splitlines()[-1]) == (
        0,
        "fixed2.jsonl: 31 records written; nothing to correct",
    )
    assert Path("fixed2.jsonl").read_bytes() == Path("new/fixed.jsonl").read_bytes()


def test_fix_warns_of_records_that_could_not_be_read(run):
    write("r.jsonl", '{"id": "1", "text": "Rain."}\n{"id": "2"}\n')
    done = run("check", "r.jsonl", "--fix", "f.jsonl")
    assert done.messages == [
        "warning: f.jsonl: without the records that could not be read (see 1 finding above)"
    ]
    write("bad.jsonl", "{")
    assert run("check", "bad.jsonl", "--fix", "g.jsonl").messages == [
        "error: g.jsonl: not written, since no record could be read"
    ]
    assert not Path("g.jsonl").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check"], "CONFIG|FILE"),
        (["check", "gone.csv"], "CONFIG|FILE: 'gone.csv' does not exist"),
        (["check", "a.csv", "--format", "cvs"], "unknown format 'cvs'. Did you mean 'csv'?"),
        (["check", "a.csv", "--task", "stanze"], "unknown task 'stanze'"),
        (
            ["check", "a.csv", "--column", "text"],
            "--column: expected OURS=THEIRS, such as text=sentence, found 'text'",
        ),
        (["check", "a.csv", "--role", "=x"], "--role: expected THEIRS=OURS, found '=x'"),
        (["check", "a.csv", "--codebook", "gone.yaml"], "gone.yaml: No such file or directory"),
        (["check", "c.yaml", "a.csv"], "expected either one CONFIG"),
        (["check", "a.jsonl", "--fix", "a.jsonl"], "--fix: expected a path outside the inputs"),
        (["check", "a.jsonl", "--fix", "link.jsonl"], "--fix: expected a path outside the inputs"),
        (["check", "a.jsonl", "--out", "./a.jsonl"], "--out: expected a path outside the inputs"),
        (
            ["check", "c.yaml", "--out", "a.csv"],
            "--out: expected a path outside the inputs, found 'a.csv'",
        ),
        (
            ["check", "a.jsonl", "--fix", "x.jsonl", "--out", "x.jsonl"],
            "--out: expected another file than --fix",
        ),
        (
            ["check", "a.csv", "--fix", "x.csv"],
            "--fix: expected a name ending in .jsonl, found 'x.csv'",
        ),
        (
            ["check", "a.csv", "a.jsonl", "--fix", "x.jsonl"],
            "--fix: expected one file to correct, found 2 files",
        ),
        (["init", "--task", "stanze"], "--task: unknown task 'stanze'. Did you mean 'stance'?"),
        (["init", "--labels", "pro"], "--labels: expected two or more names that differ"),
        (["init", "--labels", "pro,,con"], "--labels: expected two or more names that differ"),
        (
            ["init", "--labels", "a,b", "--task", "attribution"],
            "--labels: expected none beside --task attribution",
        ),
    ],
)
def test_a_wrong_call_is_rejected(run, arguments, message):
    write("a.csv", "text,label\nx,y\n")
    write("a.jsonl", '{"id": "1", "text": "x"}\n')
    write("c.yaml", "output: o\ndata: {path: d, sources: [{files: [a.csv]}]}\n")
    Path("link.jsonl").hardlink_to("a.jsonl")
    before = sorted(os.listdir())  # noqa: PTH208
    done = run(*arguments)
    assert (done.code, done.out) == (2, "")
    assert len(done.messages) == 1
    assert message in done.messages[0]
    assert sorted(os.listdir()) == before  # noqa: PTH208
    assert Path("a.jsonl").read_text(encoding="utf-8") == '{"id": "1", "text": "x"}\n'


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize(("option", "count"), [((), 3), (("--all",), 5)])
def test_findings_on_a_terminal_are_a_table(workdir, option, count):
    import pty

    write_records("r.jsonl", *({"id": str(i), "text": f"<i>[red] {i}</i>"} for i in range(5)))
    terminal, stdout = pty.openpty()
    done = subprocess.run(
        [*PROGRAM, "check", "r.jsonl", *option],
        stdout=stdout,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        check=False,
        env={**os.environ, "COLUMNS": "120"},
    )
    os.close(stdout)
    table = os.read(terminal, 65536).decode()
    os.close(terminal)
    assert (done.returncode, done.stderr) == (0, b"")
    assert table.count("found markup (<i>)") == count
    assert ("… and 2 more (--all)" in table) is (not option)
    assert "5 records: 0 errors, 5 warnings" in table


# init


def test_files_of_init_can_be_checked_and_built(run):
    done = run("init", "my study")
    assert (done.code, done.messages) == (0, [])
    assert done.out.splitlines()[-5:] == [
        "  cd 'my study'",
        "  claimstance check config.yaml",
        "  claimstance build config.yaml",
        "  claimstance train config.yaml",
        "  claimstance evaluate runs/own --data dataset",
    ]
    os.chdir("my study")
    config = load_config("config.yaml")
    assert config.data.labels == {"stance": ["against", "neutral", "favor"]}
    assert config.data.sources[0].files == ["annotations.jsonl"]
    checked = run("check", "config.yaml")
    assert (checked.code, checked.out.splitlines()[0]) == (
        1,
        "annotations.jsonl: error unreadable: No such file or directory",
    )
    write_records("annotations.jsonl", *GOOD)
    assert run("check", "config.yaml", "--strict").code == 0


@pytest.mark.parametrize("task", ["stance", "claim", "check_worthy", "subjective", "attribution"])
def test_init_defines_the_labels_of_each_task(run, task):
    run("init", "--task", task)
    config, book = load_config("config.yaml"), load_codebook("codebook.yaml")
    names = DEFAULT_LABELS.get(task, ROLES)
    assert config.model.tasks == [task]
    assert check_against(book, {task: dict.fromkeys(names, 1)}) == []
    assert label_sets(book) == {t: tuple(labels) for t, labels in config.data.labels.items()}
    # The example in a comment is a valid record.
    lines = Path("config.yaml").read_text(encoding="utf-8").splitlines()
    line = next(line for line in lines if '# {"id"' in line)
    write("annotations.jsonl", line.partition("# ")[2])
    assert {row["severity"] for row in findings(run)} <= {"warning"}


def findings(run):
    run("check", "config.yaml", "--out", "found.jsonl")
    return articles(Path("found.jsonl").read_text(encoding="utf-8"))


def test_init_asks_for_definitions_of_own_labels(run):
    run("init", "--labels", "pro, no, $con: maybe", "--task", "claim")
    assert load_config("config.yaml").data.labels == {"claim": ["pro", "no", "$con: maybe"]}
    warnings = check_against(
        load_codebook("codebook.yaml"), {"claim": {"pro": 1, "no": 1, "$con: maybe": 1}}
    )
    assert warnings == [
        f"codebook.yaml: labels.claim.{name}: expected a definition, found none"
        for name in ("pro", "no", "$con: maybe")
    ]


def test_init_infers_the_task_from_label_names(run):
    run("init", "a", "--labels", "yes,no")
    assert load_config("a/config.yaml").data.labels == {"check_worthy": ["no", "yes"]}
    run("init", "b", "--labels", "pro,con")
    assert load_config("b/config.yaml").data.labels == {"stance": ["pro", "con"]}


def test_init_never_replaces_a_file(run):
    write("codebook.yaml", "mine")
    done = run("init")
    assert (done.code, done.messages) == (
        1,
        [
            "error: .: expected a folder without codebook.yaml, found it there already; move it "
            "away, or name another folder"
        ],
    )
    assert [path.name for path in Path().iterdir()] == ["codebook.yaml"]
    assert Path("codebook.yaml").read_text(encoding="utf-8") == "mine"


# Many findings of a kind


def test_many_findings_of_a_kind_share_one_line(run):
    rows = [{"id": str(i), "text": f"<i>{i}</i>"} for i in range(200)]
    write_records("a.jsonl", *rows)
    write_records("b.jsonl", *rows[:2])
    done = run("check", "a.jsonl", "b.jsonl")
    assert done.out.splitlines() == [
        "a.jsonl:1: warning markup: text: expected plain text, found markup (<i>) (and 199 more in line 2, line 3, "
        "line 4, line 5, …; --all shows each)",
        "b.jsonl:1: warning markup: text: expected plain text, found markup (<i>)",
        "b.jsonl:2: warning markup: text: expected plain text, found markup (<i>)",
        *[line for line in done.out.splitlines()[3:-1] if "repeat" in line],
        "202 records: 2 errors, 202 warnings",
    ]


def test_all_shows_each_finding_on_its_line(run):
    write_records("a.jsonl", *({"id": str(i), "text": f"<i>{i}</i>"} for i in range(7)))
    assert len(run("check", "a.jsonl", "--all").out.splitlines()) == 8
    run("check", "a.jsonl", "--out", "found.jsonl")
    assert len(articles(Path("found.jsonl").read_text(encoding="utf-8"))) == 7


# Tables with dirty values


def test_a_second_build_needs_overwrite(run):
    write("t.csv", "text,label\n" + "".join(f"Rain {i} fell.,claim\n" for i in range(9)))
    assert run("build", "t.csv", "--out", "d").code == 0
    second_build = run("build", "t.csv", "--out", "d")
    assert (second_build.code, len(second_build.messages)) == (1, 1)
    assert second_build.messages[0].endswith("; --overwrite replaces it, --out names another")
    assert run("build", "t.csv", "--out", "d", "--overwrite").code == 0


def test_options_named_in_warnings_fix_a_dirty_table(run):
    rows = [
        f"Rain {i} fell.,{label}" for i, label in enumerate(["calm", "CALM", "alarmed", ""] * 5)
    ]
    write("t.csv", "\n".join(["Text,Label", *rows]) + "\n")
    (message,) = run("build", "t.csv", "--out", "d").messages
    assert "--column text=Text --column label=Label reads them" in message
    columns = ["--column", "text=Text", "--column", "label=Label"]
    warnings = run("build", "t.csv", "--out", "d", *columns).messages
    assert [message.partition(";")[2] for message in warnings if "--value" in message] == [
        " --value =LABEL gives such rows a label",
        " --value CALM=calm merges them",
    ]
    values = ["--value", "CALM=calm", "--value", "=none"]
    done = run("build", "t.csv", "--out", "e", *columns, *values)
    assert not any("--value" in message for message in done.messages)
    assert done.code == 0


def test_a_pair_without_a_value_is_rejected(run):
    write("t.csv", "text,label\nRain.,x\n")
    done = run("check", "t.csv", "--value", "x=")
    assert (done.code, done.messages) == (2, ["error: --value: expected THEIRS=OURS, found 'x='"])


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes with names")
@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["check"], "p.csv"),
        (["check"], "p.tsv"),
        (["check"], "p.xlsx"),
        (["check"], "p.json"),
        (["check"], "p.jsonl"),
        (["check"], "p.conll"),
        (["check"], "folder/a.ann"),
        (["build", "--out", "data"], "p.csv"),
        (["convert", "--to", "jsonl", "--out", "c.jsonl"], "p.jsonl"),
        (["train"], "p.yaml"),
        (["build"], "p.yaml"),
        (["check", "good.jsonl", "--codebook"], "p.yaml"),
    ],
)
def test_pipes_are_refused_rather_than_waited_for(run, arguments, name):
    write_records("good.jsonl", *GOOD)
    Path("folder").mkdir()
    Path("folder/a.txt").write_text("Holm left.", encoding="utf-8")
    os.mkfifo(name)
    done = run(*arguments, name)
    assert done.code in (1, 2)
    lines = [*done.out.splitlines(), *done.messages]
    [line] = [line for line in lines if "expected a file, found a pipe" in line]
    assert name in line
