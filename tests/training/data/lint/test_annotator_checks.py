"""Test checks that compare records and annotators."""

from helpers.data.lint import codes


def test_records_of_two_annotators_are_no_exact_repeats(check):
    same = {"text": "Rain fell.", "claim": "no_claim"}
    findings = check(
        {**same, "annotator": "anna"}, {**same, "annotator": "ben"}, {**same, "annotator": "anna"}
    )
    assert [(f.code, f.location.line, f.message) for f in findings] == [
        ("exact-repeat", 3, "expected each record once, found the same but for its id in r.jsonl:1")
    ]


def test_annotators_may_share_an_id(check):
    same = {"id": "1", "text": "Rain fell."}
    findings = check(
        {**same, "annotator": "anna"}, {**same, "annotator": "ben"}, {**same, "annotator": "ben"}
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
    """Return a record for each answer; ``answers`` has, by annotator, a letter for each sentence."""
    return [
        {
            "id": f"{i}",
            "text": f"Sentence number {i}.",
            "claim": {"c": "claim", "n": "no_claim"}[letter],
            "annotator": annotator,
        }
        for annotator, letters in answers.items()
        for i, letter in enumerate(letters)
    ]


def test_an_annotator_with_low_agreement_is_found(check):
    same = "cn" * 10
    # anna and ben agree on 18 of 20; carl reverses every answer of anna, so he agrees with ben on 2.
    findings = check(*rated({"anna": same, "ben": same[:18] + "nc", "carl": "nc" * 10}))
    (finding,) = (f for f in findings if f.code == "odd-annotator")
    assert finding.message == (
        "annotator: expected 'carl' to agree with others about claim as they do with one "
        "another (90% of common items), found 5%"
    )


def test_agreement_needs_enough_common_items_and_annotators(check):
    same = "cn" * 10
    for answers in (
        {"anna": same, "ben": same, "carl": ("nc" * 10)[:19]},
        {"anna": same, "carl": "nc" * 10},
    ):
        assert codes(check(*rated(answers))) == []
