"""Test the page of a report: completeness, safety and accessibility."""

import re
from itertools import pairwise

import pytest

from claimstance.model.pages.markup import visible
from claimstance.model.record import Entity, Record, Stance
from claimstance.training.data.annotators.agreement import AgreementReport
from claimstance.training.data.report.lengths import Lengths
from claimstance.training.data.report.page import MAX_PAIRS, render, write_report_page
from claimstance.training.data.report.report import BuildReport
from helpers.data.reports import AGREEMENT, HOSTILE, LENGTHS, REPORT, SAMPLES, Page


def numbers(value, key=""):
    if isinstance(value, dict):
        for name, item in value.items():
            yield from numbers(item, f"{key}.{name}")
    elif isinstance(value, list):
        for item in value:
            yield from numbers(item, key)
    elif isinstance(value, (int, float)):
        yield key, value


def test_every_number_and_word_of_the_report_is_on_the_page(page):
    for key, number in numbers(REPORT):
        forms = (
            (f"{number:,}", str(number))
            if isinstance(number, int)
            else (f"{number:.2f}".replace("-", "−"), f"{number:.3f}", f"{100 * number:.1f} %")
        )
        assert any(
            re.search(rf"(?<![\d.,]){re.escape(form)}(?!\d)", page.text) for form in forms
        ), (
            key,
            number,
        )
    for text in (
        "f00d" * 16,
        "bb22" * 16,
        "CC BY 4.0",
        "Holm (2024). Harbour news.",
        "1.7.3",
        "a/b.json",
        "UTF-16 units",
        "expected a text",
        "te:1",
        "tr:2",
        "te:3",
        "Speaks for it.",
        "She saw it.",
        "the crossing",
        "labels.stance.against: expected a definition, found none",
        "each outlet is in one split alone",
    ):
        assert text in page.text, text


def test_rows_left_out_are_summed_and_the_worst_share_is_named(page):
    text = " ".join(page.text.split())
    assert "left out 61" in text
    assert "sentences 4,806" in text  # 4001 + 402 + 403
    # 5.5 points; all else is nearer.
    assert "Farthest from it: stance: favor in train, 65.9 % where 71.4 % was wanted." in text


def test_page_loads_nothing_and_runs_nothing(html, page):
    policy = next(
        a["content"] for a in page.all("meta") if a.get("http-equiv") == "Content-Security-Policy"
    )
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert page.all("script", "link", "img", "iframe", "object", "form") == []
    names = {name for _, attrs in page.elements for name in attrs}
    assert not names & {"src", "srcset", "style"}
    assert not [name for name in names if name.startswith("on")]
    links = [a for a in page.all("a") if not a["href"].startswith("#")]
    # The javascript: link is not among them.
    assert links == [
        {"href": "report.json"},
        {"href": "https://example.org/a?b=1&c=2", "rel": "noreferrer noopener"},
    ]
    assert "javascript:alert(1)" in page.text
    assert not re.search(r"url\(|@import", html)


def test_page_is_accessible_to_screen_readers(page):
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(set(ids)) == len(ids)
    labels = [
        name for _, attrs in page.elements for name in attrs.get("aria-labelledby", "").split()
    ]
    anchors = [a["href"][1:] for a in page.all("a") if a["href"].startswith("#")]
    assert set(labels) | set(anchors) <= set(ids)
    assert len(anchors) == 10
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert len(page.all("caption")) == len(page.all("table")) > 10
    assert all(attrs.get("scope") in ("row", "col") for attrs in page.all("th"))
    assert all(attrs.get("aria-hidden") or attrs.get("aria-label") for attrs in page.all("svg"))
    assert page.all("html")[0]["lang"] == "en"


def test_equal_reports_give_equal_pages(report, html, tmp_path):
    write_report_page(report, SAMPLES, LENGTHS, tmp_path / "report.html")
    assert (tmp_path / "report.html").read_bytes() == html.encode()
    reloaded = BuildReport.model_validate_json(report.model_dump_json())
    assert render(reloaded, SAMPLES, LENGTHS) == html


def hostile(value):
    """Replace all text of a report except its keys: the names of tasks, splits and fields."""
    if isinstance(value, dict):
        return {key: hostile(item) for key, item in value.items()}
    if isinstance(value, list):
        return [hostile(item) for item in value]
    return HOSTILE if isinstance(value, str) else value


def test_hostile_text_stays_text():
    data = hostile(REPORT)
    data["division"]["by"] = "document"
    data["versions"] = {HOSTILE: HOSTILE}
    data["labels"]["train"]["stance"][HOSTILE] = 3
    data["sources"][0] |= {
        "url": "https://" + HOSTILE,
        "dropped": {HOSTILE: 1},
        "facts": {HOSTILE: {HOSTILE: HOSTILE}},
    }
    data["agreement"] = {HOSTILE: {**AGREEMENT, "annotators": {HOSTILE: 4}}}
    data["codebook"]["labels"]["stance"] = {HOSTILE: {"definition": HOSTILE}, "b": {}}
    data["codebook"]["targets"] = {HOSTILE: {"aliases": [HOSTILE], "definition": HOSTILE}}
    bad = Record(
        id=HOSTILE,
        doc_id=HOSTILE,
        text=HOSTILE,
        claim=HOSTILE,
        annotator=HOSTILE,
        meta={"outlet": HOSTILE},
        entities=[Entity(span=[(3, 20)], label=HOSTILE)],
        stances=[Stance(target=HOSTILE, label=HOSTILE)],
    )
    lengths = Lengths(counts={"train": [1]}, unit=HOSTILE, limit=8, limit_note=HOSTILE)
    text = render(BuildReport.model_validate(data), [bad], lengths)
    page = Page(text)
    assert "<script" not in text
    assert "\u202e" not in text
    assert not [name for _, attrs in page.elements for name in attrs if name.startswith("on")]
    assert page.text.count(visible(HOSTILE)) > 30
    assert [attrs["title"] for attrs in page.all("span") if "title" in attrs] == [
        f"entity: {visible(HOSTILE)}"
    ]


def test_a_minimal_report_says_what_is_missing(report):
    bare = BuildReport(
        rows={},
        label_sets={},
        labels={},
        sources=[],
        repeated_texts={},
        overlaps=[],
        soft={},
        seed=1,
        versions={},
        fingerprint="f",
        fingerprints={},
    )
    text = Page(render(bare, [])).text
    for sentence in (
        "Nothing was left out.",
        "Nothing was divided",
        "agreement is not known",
        "no figures of lengths",
        "not checked against a codebook",
        "No sentences are shown.",
        "no counts of targets and holders",
        "one split alone",
    ):
        assert sentence in text, sentence


def test_frequent_targets_and_holders_are_counted_by_split():
    class Counted(BuildReport):
        targets: list[tuple[str, dict[str, int]]]
        holders: list[tuple[str, dict[str, int]]]

    counted = Counted.model_validate(
        {
            **REPORT,
            "targets": [(HOSTILE, {"train": 701, "test": 90})],
            "holders": [("Ida Holm", {"dev": 702})],
        }
    )
    text = " ".join(Page(render(counted, [])).text.split())
    assert f"{visible(HOSTILE)} 701 0 90 791" in text
    assert "Ida Holm 0 702 0 702" in text


def test_only_some_pairs_are_shown_and_the_others_counted():
    pair = AGREEMENT["labels"]["claim"]["pairs"][0]
    claim_agreement = {
        **AGREEMENT["labels"]["claim"],
        "pairs": [{**pair, "n": 7000 + i} for i in range(MAX_PAIRS + 4)],
    }
    agreement = AgreementReport.model_validate({**AGREEMENT, "labels": {"claim": claim_agreement}})
    report = BuildReport.model_validate({**REPORT, "agreement": {"mine": agreement}})
    text = Page(render(report, [])).text
    assert f"{7000 + MAX_PAIRS - 1:,}" in text
    assert f"{7000 + MAX_PAIRS:,}" not in text
    assert "1,314 more pairs" in text  # 4 in the report, and 1310 that it leaves out


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violations_in_a_browser(open_page, complaints, html, scheme):
    page = open_page(html, color_scheme=scheme, bypass_csp=True)  # see complaints
    page.evaluate("document.querySelectorAll('details').forEach(it => it.open = true)")
    assert complaints(page) == []
