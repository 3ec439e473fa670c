"""Tests of the linter, check by check."""

import json
from collections import Counter

import pytest

from claimstance.model.errors import ConfigError
from claimstance.training.data.codebook import load_codebook
from claimstance.training.data.lint import DATA_CHECKS, RECORD_CHECKS
from claimstance.training.data.lint.linter import Inspection
from claimstance.training.load_config import parse_data_config

TEXT = "Mayor Ida Holm said the new bridge is safe."


@pytest.fixture
def inspect(tmp_path, monkeypatch):
    """An inspection of records (dictionaries), or of files by name and content."""
    monkeypatch.chdir(tmp_path)

    def make(*records, files=None, book=None, **source):
        lines = [
            json.dumps({"id": str(i), "text": f"{TEXT} ({i})", **record})
            for i, record in enumerate(records, 1)
        ]
        files = files or {"r.jsonl": "\n".join(lines)}
        for name, content in files.items():
            (tmp_path / name).write_bytes(
                content if isinstance(content, bytes) else content.encode()
            )
        labels = source.pop("labels", {})
        config = {"path": "x", "sources": [{"files": list(files), **source}], "labels": labels}
        if book is not None:
            (tmp_path / "book.yaml").write_text(book, encoding="utf-8")
        return Inspection(parse_data_config(config, "test"), book and load_codebook("book.yaml"))

    return make


@pytest.fixture
def check(inspect):
    """The findings, without the counting of labels, which few records cannot satisfy."""

    def find(*records, **options):
        findings = inspect(*records, **options).findings()
        return [f for f in findings if f.code not in ("rare-label", "unused-label", "one-label")]

    return find


def codes(findings):
    return [finding.code for finding in findings]


def test_joined_labels_of_doccano_are_found(check):
    table = "text,label\nIt fell.,weather#politics\nRain.,weather\nOn C#.,C#\n"
    (finding,) = (f for f in check(files={"t.csv": table}) if f.code != "lone-records")
    assert str(finding) == (
        "t.csv:2: warning joined-labels: claim: expected one label, found 'weather#politics' 1 "
        "time: if they are several, data.labels takes them apart"
    )


def test_correct_records_have_no_findings(check):
    assert (
        check(
            {
                "claim": "claim",
                "attributions": [{"source": [[0, 14]], "cue": [[15, 19]], "content": [[20, 42]]}],
                "entities": [
                    {"span": [[6, 14]], "label": "PERSON"},
                    {"span": [[10, 14]], "label": "PERSON"},
                ],
                "stances": [
                    {"holder": [[6, 14]], "target": [[20, 34]], "label": "favor"},
                    {"holder": None, "target": "Ida Holm", "label": "neutral"},
                    {"holder": None, "target": "traffic policy", "label": "neutral"},
                ],
                "annotator": "anna",
                "meta": {"date": "2031-05-02"},
            },
            {
                "claim": "no_claim",
                "attributions": [],
                "annotator": "ben",
                "meta": {"date": "2031-05-02T07:30:00Z"},
            },
            {
                "text": "Ça coûte 5 € – « déjà » & more; a < b > c, “Ñandú”. AT&T; naïve\tÂge.",
                "annotator": "ben",
            },
        )
        == []
    )


@pytest.mark.parametrize(
    ("record", "code", "severity", "message"),
    [
        ({"text": ""}, "empty-text", "error", "text: expected a text, found an empty one"),
        ({"text": " \n"}, "empty-text", "error", "text: expected a text, found a blank one"),
        (
            {"text": "Holm <b>said</b> so."},
            "markup",
            "warning",
            "text: expected plain text, found markup (<b>)",
        ),
        ({"text": "Holm &amp; Co."}, "markup", "warning", "found markup (&amp;)"),
        (
            {"text": "a\ufffdb \ufffd"},
            "lost-character",
            "warning",
            "found U+FFFD (a character that was lost) 2 times",
        ),
        ({"text": "ab\x07"}, "control-character", "warning", "found U+0007 at character 2"),
        (
            {"text": "It’s a café".encode().decode("cp1252")},
            "wrong-encoding",
            "warning",
            "expected '’', as it seems, found 'â€™'",
        ),
        (
            {"text": "a café".encode().decode("latin-1")},
            "wrong-encoding",
            "warning",
            "expected 'é', as it seems",
        ),
        ({"text": "ab " * 667}, "long-text", "warning", "found 2001 characters"),
        (
            {"meta": {"date": "May 2, 2031"}},
            "date-form",
            "warning",
            "expected a date as YYYY-MM-DD, found 'May 2, 2031'",
        ),
        ({"meta": {"date": "2031-02-30"}}, "date-form", "warning", "found '2031-02-30'"),
        ({"meta": {"date": 20310502}}, "date-form", "warning", "found 20310502"),
        (
            {"entities": [{"span": [[6, 12]], "label": "PERSON"}]},
            "span-cuts-word",
            "warning",
            "entities[0].span: expected whole words ('Ida Holm'), found 'Ida Ho'",
        ),
        (
            {"entities": [{"span": [[7, 14]], "label": "PERSON"}]},
            "span-cuts-word",
            "warning",
            "found 'da Holm'",
        ),
        (
            {"entities": [{"span": [[5, 14]], "label": "PERSON"}]},
            "span-whitespace",
            "warning",
            "found ' Ida Holm'",
        ),
        (
            {"entities": [{"span": [[42, 43]], "label": "MISC"}]},
            "span-without-words",
            "warning",
            "found '.'",
        ),
        (
            {
                "entities": [
                    {"span": [[0, 9]], "label": "PERSON"},
                    {"span": [[6, 14]], "label": "PERSON"},
                ]
            },
            "crossing-entities",
            "error",
            "entities[1].span: expected it apart from or within entities[0] ('Mayor Ida')",
        ),
        (
            {
                "entities": [
                    {"span": [[6, 14]], "label": "PERSON"},
                    {"span": [[6, 14]], "label": "MISC"},
                ]
            },
            "two-entity-labels",
            "error",
            "entities[1].label: expected 'PERSON', which entities[0] with the same span has",
        ),
        (
            {
                "attributions": [
                    {"source": [[0, 14]], "cue": [[15, 19]], "content": [[6, 14], [20, 42]]}
                ]
            },
            "overlapping-parts",
            "error",
            "attributions[0]: expected source and content apart, found both at [6, 14] "
            "('Ida Holm')",
        ),
        (
            {"attributions": [{"source": [[0, 14]], "content": [[20, 42]]}]},
            "no-cue",
            "warning",
            "attributions[0].cue: expected a span, found source and content alone",
        ),
        (
            {"claim": "no_claim", "attributions": [{"cue": [[15, 19]], "content": [[20, 42]]}]},
            "content-without-claim",
            "warning",
            "attributions[0] has a content ('the new bridge is safe')",
        ),
        (
            {"claim": "claim", "attributions": [{"cue": [[15, 19]]}]},
            "claim-without-content",
            "warning",
            "found 'claim' beside attributions without one",
        ),
        (
            {"claim": "claim", "attributions": []},
            "claim-without-content",
            "warning",
            "beside no attribution",
        ),
        (
            {
                "stances": [
                    {"target": "traffic", "label": "favor"},
                    {"target": "Traffic ", "label": "against"},
                ]
            },
            "two-stance-labels",
            "error",
            "stances[1].label: expected 'favor', as in stances[0] ((text) → traffic)",
        ),
        (
            {"stances": [{"holder": "Holm", "target": "holm", "label": "favor"}]},
            "holder-is-target",
            "warning",
            "found 'Holm' as both",
        ),
        (
            {"stances": [{"holder": [[6, 14]], "target": [[6, 14]]}]},
            "holder-is-target",
            "warning",
            "found 'Ida Holm' as both",
        ),
        (
            {"stances": [{"target": ""}]},
            "blank-target",
            "error",
            "stances[0].target: expected a name or a topic",
        ),
        (
            {"stances": [{"target": "traffic "}]},
            "target-whitespace",
            "warning",
            "expected 'traffic', found 'traffic '",
        ),
        ({"predicted": {}}, "predicted", "warning", "found 'predicted', which is not read"),
        (
            {"stances": [{"target": "Ida Hulm"}]},
            "unmentioned-target",
            "warning",
            "expected 'Ida Hulm' in some text, found 'hulm' in none",
        ),
    ],
)
def test_a_faulty_record_has_a_finding(check, record, code, severity, message):
    findings = [finding for finding in check(record) if finding.code == code]
    assert [(f.severity, f.location.file, f.location.line) for f in findings] == [
        (severity, "r.jsonl", 1)
    ]
    assert message in findings[0].message


def test_codes_of_checks_are_unique():
    names = [check.code for check in (*RECORD_CHECKS, *DATA_CHECKS)]
    assert [name for name, count in Counter(names).items() if count > 1] == []


def test_correct_records_that_look_faulty_have_no_findings(check):
    thai = "\u0e19\u0e32\u0e22\u0e01\u0e01\u0e25\u0e48\u0e32\u0e27"  # no spaces between words
    findings = check(
        {"text": thai, "entities": [{"span": [[2, 5]], "label": "PERSON"}]},
        {
            "text": "Holm: it holds.",
            "attributions": [{"source": [[0, 4]], "cue": [[4, 5]], "content": [[6, 14]]}],
        },
        {"text": "“It holds.”", "attributions": [{"content": [[0, 11]], "event": "a"}]},
        {
            "text": "Lee met Lee.",
            "stances": [
                {"holder": [[0, 3]], "target": [[8, 11]], "label": "favor"},
                {"holder": [[8, 11]], "target": [[0, 3]], "label": "against"},
            ],
        },
    )
    assert codes(findings) == ["holder-is-target", "holder-is-target"]


# Reading


def test_each_unreadable_line_has_a_finding(check):
    lines = [
        b'{"id": "1", "text": "Rain."}',
        b"",
        b'{"id": "2"}',
        b"{",
        b'{"id": "3", "text": "caf\xe9"}',
        b'{"id": "4", "text": "Sun.", "entities": [{"span": [[0, 9]], "label": "MISC"}]}',
        b'{"id": "1", "text": "Wind."}',
    ]
    findings = check(files={"a.jsonl": b"\n".join(lines)})
    assert [(f.location.line, f.code) for f in findings] == [
        (3, "unreadable"),
        (4, "unreadable"),
        (5, "unreadable"),
        (6, "unreadable"),
        (7, "repeated-id"),
    ]
    assert [f.message.partition(", found")[0] for f in findings] == [
        "text: expected a value",
        "expected a JSON object",
        "expected UTF-8 text",
        "entities[0].span: expected 0 <= start < end <= 4 (the text's length)",
        "id: expected a new id",
    ]
    assert str(findings[0]) == "a.jsonl:3: error unreadable: text: expected a value, found none"
    assert findings[4].message.endswith("found '1', already used in a.jsonl:1")


def test_findings_in_a_table_have_the_line_of_their_row(check):
    rows = 'text,label\n"Rain\nfell.",claim\n ,claim\n\nSun.\n<i>Wind</i>,no_claim\n'
    findings = check(files={"t.csv": rows})
    assert [(f.location.line, f.code, f.location.record) for f in findings] == [
        (4, "empty-text", None),
        (6, "unreadable", None),
        (7, "markup", "t:4"),
    ]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.spacy", "{", "expected what spacy looks like, found something else"),
        ("a.csv", "txt,label\na,b\n", "expected a column 'text', found txt, label"),
        ("a.pdf", "x", "expected a file whose name ends in"),
    ],
)
def test_an_unreadable_file_has_one_finding(check, name, content, message):
    (finding,) = check(files={name: content})
    assert str(finding).startswith(f"{name}: error unreadable: {message}")


def test_an_empty_file_has_one_finding(check):
    (finding,) = check(files={"a.jsonl": ""}, format="jsonl")
    assert (
        str(finding)
        == "a.jsonl: error unreadable: expected at least one record, found an empty file"
    )


def test_a_missing_file_does_not_affect_other_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "b.csv").write_text("text,label\n<i>x</i>,y\n", encoding="utf-8")
    config = parse_data_config({"path": "x", "sources": [{"files": ["gone.csv", "b.csv"]}]}, "test")
    findings = list(Inspection(config).findings())
    assert codes(findings) == ["unreadable", "markup", "rare-label", "one-label"]
    assert str(findings[0]) == "gone.csv: error unreadable: No such file or directory"


def test_options_of_other_formats_are_rejected(inspect):
    with pytest.raises(ConfigError, match="expected another format, to which 'target' applies"):
        list(inspect({}, target="x").findings())


def test_a_configuration_without_sources_is_rejected():
    with pytest.raises(ConfigError, match=r"data\.sources: expected at least one"):
        Inspection(parse_data_config({"path": "x"}, "test"))


# Records beside one another


def test_records_of_two_annotators_are_no_exact_repeats(check):
    same = {"text": "Rain fell.", "claim": "no_claim"}
    findings = check(
        {**same, "annotator": "anna"}, {**same, "annotator": "ben"}, {**same, "annotator": "anna"}
    )
    assert [(f.code, f.location.line, f.message) for f in findings] == [
        ("exact-repeat", 3, "expected each record once, found the same but for its id in r.jsonl:1")
    ]


def test_annotators_may_share_an_id(check):
    one = {"id": "1", "text": "Rain fell."}
    findings = check(
        {**one, "annotator": "anna"}, {**one, "annotator": "ben"}, {**one, "annotator": "ben"}
    )
    assert [(f.code, f.location.line) for f in findings] == [("repeated-id", 3)]


def test_contradicting_labels_of_equal_texts_are_found(check):
    findings = check(
        {"text": "Rain fell.", "claim": "claim", "stances": [{"target": "rain", "label": "favor"}]},
        {
            "text": "RAIN fell!",
            "claim": "no_claim",
            "stances": [{"target": "Rain", "label": "favor"}],
        },
        {
            "text": "Rain fell.",
            "claim": "no_claim",
            "stances": [{"target": "rain", "label": "against"}],
            "annotator": "anna",
        },
    )
    assert [
        (f.code, f.location.line, f.message) for f in findings if f.code == "labelled-two-ways"
    ] == [
        (
            "labelled-two-ways",
            2,
            "claim: expected 'claim', as the same text has in r.jsonl:1, found 'no_claim'",
        )
    ]


def test_records_without_annotator_beside_others_are_found(check):
    (finding,) = check({"annotator": "anna"}, {}, {"annotator": "anna"}, {})
    assert (finding.code, finding.location.line) == ("missing-annotator", 2)
    assert finding.message.endswith("found none in 2 of 4")


def test_documents_with_one_sentence_are_counted(check):
    (finding,) = check(
        {"doc_id": "a"},
        {"doc_id": "a"},
        {"doc_id": "b"},
        {"doc_id": "c", "id": "x", "annotator": "d"},
        {"doc_id": "c", "id": "x", "annotator": "e"},
    )[:1]
    assert (finding.code, finding.location.line) == ("lone-records", 3)
    assert finding.message.endswith("found one record in 2 of 3")


def rated(answers):
    """Records of sentences that each annotator has an answer to: annotator → a letter for each sentence."""
    return [
        {
            "id": f"{i}",
            "text": f"Sentence number {i}.",
            "claim": {"c": "claim", "n": "no_claim"}[letter],
            "annotator": who,
        }
        for who, letters in answers.items()
        for i, letter in enumerate(letters)
    ]


def test_an_annotator_with_low_agreement_is_found(check):
    alike = "cn" * 10
    # anna and ben agree on 18 of 20; carl's every answer is anna's turned round, so he agrees with ben on 2.
    findings = check(*rated({"anna": alike, "ben": alike[:18] + "nc", "carl": "nc" * 10}))
    (finding,) = (f for f in findings if f.code == "odd-annotator")
    assert finding.message == (
        "annotator: expected 'carl' to agree with others about claim as they do with one "
        "another (90% of common items), found 5%"
    )


def test_agreement_needs_enough_common_items_and_annotators(check):
    alike = "cn" * 10
    for answers in (
        {"anna": alike, "ben": alike, "carl": ("nc" * 10)[:19]},
        {"anna": alike, "carl": "nc" * 10},
    ):
        assert codes(check(*rated(answers))) == []


# Labels


def stances(*labels, **more):
    return [{"stances": [{"target": "traffic", "label": label, **more}]} for label in labels]


def test_json_lines_has_the_default_labels_unless_configured(check):
    findings = check(*stances("Favor", "favour", "favor "))
    assert [(f.severity, f.code, f.location.line) for f in findings] == [
        ("error", "label-spelling", 1),
        ("error", "label-spelling", 3),
        ("error", "unknown-label", 2),
    ]
    assert findings[0].message == "stance: expected the label 'favor', found 'Favor' 1 time"
    assert findings[2].message.startswith("stance: unknown label 'favour'. Did you mean 'favor'?")
    assert check(*stances("pro", "con"), labels={"stance": ["pro", "con"]}) == []


def test_labels_of_probabilities_are_checked(check):
    (finding,) = check(*stances("favor", probabilities={"favor": 0.5, "unsure": 0.5}))
    assert (finding.code, finding.message[:29]) == (
        "unknown-label",
        "stance: unknown label 'unsure",
    )


def csv(*labels):
    return {
        "t.csv": "text,label\n"
        + "".join(f"Sentence {i}.,{label}\n" for i, label in enumerate(labels))
    }


def test_tables_may_have_any_labels_but_misspelt_ones(check):
    assert check(files=csv("pro", "con", "pro")) == []
    findings = check(files=csv(*["pro"] * 3, "Pro"))
    assert [(f.code, f.location.line, f.message) for f in findings] == [
        ("label-spelling", 5, "claim: expected the label 'pro', found 'Pro' 1 time")
    ]
    near = check(files=csv(*["neutral"] * 10, *["positive"] * 10, "postive"))
    assert [(f.severity, f.code, f.location.line) for f in near] == [("warning", "near-label", 22)]
    assert near[0].message == "claim: expected 'positive', as it seems, found 'postive' 1 time"


def test_a_label_similar_to_a_default_one_is_found(check):
    findings = check(files=csv("claim", "no_claim", "noclaim", "opinion"))
    assert [(f.code, f.message) for f in findings] == [
        ("near-label", "claim: expected 'no_claim', as it seems, found 'noclaim' 1 time")
    ]


def test_labels_with_few_or_no_examples_are_found(inspect):
    findings = inspect(*stances(*["favor"] * 10, *["neutral"] * 9)).findings()
    assert [
        (f.severity, f.code, f.location.line, f.message.partition(",")[0]) for f in findings
    ] == [
        ("warning", "unused-label", None, "stance: expected the label 'against' somewhere"),
        (
            "warning",
            "rare-label",
            11,
            "stance: expected at least 10 examples of 'neutral' to learn it from and to "
            "measure it on",
        ),
    ]


# Targets and the codebook


def test_targets_with_two_spellings_are_found(check):
    records = [
        {"stances": [{"target": name}]}
        for name in ("gun control", "Gun  control", "gun control", "gun laws")
    ]
    (finding,) = check(*records)
    assert (finding.code, finding.location.line) == ("target-variants", 2)
    assert (
        finding.message
        == "stances.target: expected 'gun control', as elsewhere, found 'Gun  control' 1 time"
    )


def test_a_target_mentioned_in_another_text_is_not_misspelt(check):
    asked = {"text": "He left.", "stances": [{"target": "Ida Holm"}]}
    assert check(asked, {"text": "Ida left."}, {"text": "Holm?"}) == []


BOOK = """
labels:
  stance: {pro: For it., con:}
targets:
  traffic: {aliases: [cars]}
"""


def test_labels_and_targets_must_be_in_the_codebook(check):
    records = [
        *stances("pro", "Con", "favor"),
        {"stances": [{"target": "cars"}]},
        {"stances": [{"target": "trafic"}]},
    ]
    findings = check(*records, book=BOOK)
    assert [(f.code, f.location.line, f.message) for f in findings] == [
        ("label-spelling", 2, "stance: expected the label 'con', found 'Con' 1 time"),
        ("unknown-label", 3, "stance: unknown label 'favor'. Available: con, pro (1 time)"),
        ("undefined-label", None, "labels.stance.con: expected a definition, found none"),
        (
            "unlisted-target",
            4,
            "stances.target: expected 'traffic', found its alias 'cars' (1 time)",
        ),
        (
            "unlisted-target",
            5,
            "stances.target: unknown target 'trafic'. Did you mean 'traffic'? Available: traffic "
            "(1 time)",
        ),
    ]


def test_codebook_and_configuration_must_have_equal_labels(inspect):
    with pytest.raises(
        ConfigError, match=r"data\.labels\.stance: expected the labels of the codebook \(pro, con\)"
    ):
        inspect({}, book=BOOK, labels={"stance": ["a", "b"]})


# Putting right


def test_fixes_correct_spelling_white_space_and_repeats(inspect):
    inspection = inspect(
        {
            "text": " Holm  said so. ",
            "claim": "Claim ",
            "stances": [
                {"holder": [[0, 6], [11, 15]], "target": "traffic", "label": "FAVOR"},
                {"target": " Traffic", "label": "favour", "probabilities": {"Favor": 1.0}},
            ],
        },
        {"text": "Rain.", "stances": [{"target": "traffic"}]},
        {"text": "Sun.", "stances": [{"target": "traffic "}]},
        {"text": "Sun.", "stances": [{"target": "traffic"}]},
    )
    list(inspection.findings())
    fixes = inspection.fixes()
    before = list(inspection.records())
    first, second, third = fixes.apply(before)
    assert (first.text, first.claim) == (" Holm  said so. ", "claim")
    assert first.stances[0].holder == [(1, 5), (12, 15)]
    # a near miss is not a slip of the shift key
    assert [(s.target, s.label, s.probabilities) for s in first.stances] == [
        ("traffic", "favor", None),
        ("traffic", "favour", {"favor": 1.0}),
    ]
    assert (second.id, third.id, third.stances[0].target) == ("2", "3", "traffic")
    assert before[0].claim == "Claim "
    assert fixes.changed == {
        "labels spelt as in their set": 2,
        "spans without outer white space": 1,
        "target names made alike": 1,
        "target names stripped": 1,
        "exact repeats left out": 1,
    }


def test_spellings_of_labels_outside_a_set_are_not_fixed(inspect):
    inspection = inspect(files=csv("pro", "pro", "Pro"))
    list(inspection.findings())
    fixes = inspection.fixes()
    assert [record.claim for record in fixes.apply(inspection.records())] == ["pro", "pro", "Pro"]
    assert not fixes.changed


def test_a_span_of_white_space_is_not_trimmed(inspect):
    inspection = inspect({"text": "a  b", "entities": [{"span": [[1, 3]], "label": "MISC"}]})
    list(inspection.findings())
    (record,) = inspection.fixes().apply(inspection.records())
    assert record.entities[0].span == [(1, 3)]


def test_an_unreadable_item_does_not_affect_the_others(check):
    lines = [
        {
            "text": "Rain fell.",
            "spans": [{"start": 0, "end": 3, "label": "ENTITY"}],
            "answer": "accept",
        },
        {"text": "Sun.", "spans": "none", "answer": "accept"},
        {"text": "<i>Wind</i>", "spans": [], "answer": "accept"},
    ]
    findings = check(
        files={"p.jsonl": "\n".join(map(json.dumps, lines))},
        format="prodigy",
        roles={"ENTITY": "entity"},
        values={"ENTITY": "MISC"},
    )
    assert [(f.code, f.location.line, f.location.record is None) for f in findings] == [
        ("unreadable", 2, True),
        ("span-cuts-word", 1, False),
        ("markup", 3, False),
        ("lone-records", 1, False),
    ]


def test_wrong_offsets_affect_only_their_line(check):
    lines = [
        {"text": "Ida left.", "label": [[0, 3, "Source"]]},
        {"text": "", "label": []},
        {"text": "Ida left.", "label": [[0, 30, "Source"]]},
        {"text": "Bo came.", "label": [[0, 2, "Source"]]},
    ]
    findings = check(files={"d.jsonl": "\n".join(map(json.dumps, lines))})
    assert [(f.severity, f.code, f.location.line) for f in findings][:4] == [
        ("warning", "no-cue", 1),
        ("error", "empty-text", 2),
        ("error", "unreadable", 3),
        ("warning", "no-cue", 4),
    ]


def test_items_that_a_build_drops_silently_are_warnings(check, tmp_path):
    (tmp_path / "brat").mkdir()
    files = {
        "brat/a.txt": "Ida left.\n",
        "brat/a.ann": "T1\tSource 1 3\tda\nA1\tMood T1 calm\n",
        "brat/b.txt": "Bo.",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    findings = [
        f
        for f in check(files={"brat/a.ann": files["brat/a.ann"]})
        if f.code in ("left-out", "span-cuts-word")
    ]
    assert [(f.severity, f.code) for f in findings] == [
        ("warning", "left-out"),
        ("warning", "span-cuts-word"),
    ]


def test_findings_in_a_folder_name_the_file(tmp_path):
    for name, text in {
        "a.txt": "Ida left.",
        "a.ann": "T1\tSource 1 3\tda\n",
        "b.txt": "Bo.",
        "c.txt": "Cy.",
        "c.ann": "T1\tSource 0 x\tCy\n",
    }.items():
        (tmp_path / name).write_text(text)
    findings = {
        f.code: f
        for f in Inspection(
            parse_data_config({"path": "x", "sources": [{"files": [str(tmp_path)]}]}, "test")
        ).findings()
    }
    assert str(findings["span-cuts-word"].location) == f"{tmp_path / 'a.ann'}: record 'a:0'"
    assert (findings["unreadable"].location.file, findings["unreadable"].location.line) == (
        str(tmp_path / "c.ann"),
        1,
    )
    assert findings["left-out"].message.startswith("text that nobody has annotated")


def test_findings_in_a_table_without_quoting_have_their_line(inspect):
    table = 'text\tlabel\n"Rain.\tclaim\n<b>Sun."</b>\tclaim\n\tclaim\n'
    findings = inspect(files={"t.tsv": table}).findings()
    assert {("markup", 3), ("empty-text", 4)} <= {(it.code, it.location.line) for it in findings}


def test_a_task_with_one_label_is_found(inspect):
    table = "text,label,target\n" + "".join(f"Rain {i}.,favor,tax\n" for i in range(12))
    findings = [it for it in inspect(files={"t.csv": table}).findings() if it.code == "one-label"]
    assert [str(it) for it in findings] == [
        "t.csv:2: warning one-label: stance: one label only: nothing to learn; expected two or more, "
        "found 'favor' 12 times"
    ]


def test_a_task_with_one_label_in_train_is_found(inspect):
    rows = [f"Rain {i}.,claim,train\n" for i in range(4)] + ["Sun.,no_claim,test\n"]
    inspection = inspect(files={"t.csv": "text,label,split\n" + "".join(rows)})
    findings = {it.code: it.message for it in inspection.findings()}
    assert findings["one-label"].startswith("claim: one label only in train: nothing to learn")
    assert findings["label-not-in-train"] == (
        "claim: test has the label 'no_claim' (1 time), train has none: no model can learn it"
    )


@pytest.mark.parametrize("second", ["no_claim", "unsure"])
def test_two_labels_are_enough(inspect, second):
    table = f"text,label\nRain.,claim\nSun.,{second}\n"
    assert "one-label" not in codes(inspect(files={"t.csv": table}).findings())


def test_a_label_missing_in_train_is_found_across_sources(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, labels in (("a", "pro con"), ("b", "pro unsure"), ("c", "con con")):
        rows = "".join(f"{name} {i} rain.,{label}\n" for i, label in enumerate(labels.split()))
        (tmp_path / f"{name}.csv").write_text(f"text,label\n{rows}", encoding="utf-8")
    splits = {"a": "train", "b": "dev", "c": "test"}
    sources = [{"files": [f"{name}.csv"], "split": split} for name, split in splits.items()]
    inspection = Inspection(parse_data_config({"path": "x", "sources": sources}, "test"))
    assert [
        (it.location.file, it.message)
        for it in inspection.findings()
        if it.code == "label-not-in-train"
    ] == [
        (
            "b.csv",
            "claim: dev has the label 'unsure' (1 time), train has none: no model can learn it",
        )
    ]


@pytest.mark.parametrize(
    ("splits", "line"),
    [(["train", "gold", "test"], 3), (["train", "test", ""], 4), (["", "dev", ""], 3)],
)
def test_invalid_splits_of_a_table_are_found(inspect, splits, line):
    table = "text,label,split\n" + "".join(
        f"Rain {i}.,claim,{name}\n" for i, name in enumerate(splits)
    )
    errors = [it for it in inspect(files={"t.csv": table}).findings() if it.severity == "error"]
    assert [(it.code, it.location.line) for it in errors] == [("unreadable", line)]
    assert "expected a split" in errors[0].message


def test_an_invalid_split_of_a_record_is_found(check):
    (finding,) = check({"meta": {"split": "dev"}}, {"meta": {"split": "gold"}})
    assert (finding.location.line, finding.severity) == (2, "error")
    assert (
        finding.message == "split: expected a split (train, dev, validation or test), found 'gold'"
    )


def test_blank_labels_of_a_file_are_one_finding(inspect):
    table = "text,label\n" + "".join(f"Rain {i}.,{'claim' if i % 3 else ''}\n" for i in range(30))
    findings = [it for it in inspect(files={"t.csv": table}).findings() if it.code == "blank-label"]
    assert [it.message for it in findings] == [
        "expected a label, found none in 10 rows (line 2, line 5, line 8, line 11, line 14, …), which count as not "
        "annotated; --value =LABEL gives such rows a label"
    ]
