"""Test checks of single records."""

from collections import Counter

import pytest

from claimstance.training.data.lint import DATA_CHECKS, RECORD_CHECKS
from helpers.data.lint import codes


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
