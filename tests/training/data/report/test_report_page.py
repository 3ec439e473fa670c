import re
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pytest

from claimstance.model.pages.markup import visible
from claimstance.model.record import Attribution, Entity, Record, Stance
from claimstance.training.data.annotators.agreement import AgreementReport
from claimstance.training.data.annotators.coefficients import Measure
from claimstance.training.data.report.figures import (
    LabelRow,
    cautions,
    few_documents,
    histograms,
    label_rows,
    verdict,
)
from claimstance.training.data.report.lengths import BINS, Lengths
from claimstance.training.data.report.page import MAX_PAIRS, render, write_report_page
from claimstance.training.data.report.report import BuildReport
from claimstance.training.evaluation.page.record_view import MAX_CHARACTERS, sample

VOID = {"meta", "br"}
HOSTILE = "\"'><script>alert(1)</script>\u202e&amp;"


class Page(HTMLParser):
    """A page taken apart; fails where it is not well formed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.words, self.inside = [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        assert len(dict(attrs)) == len(attrs), f"an attribute twice: {attrs}"
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append((tag, dict(attrs)))

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop()[0] == tag, f"</{tag}> closes something else"
        if tag in ("td", "th", "dt", "dd", "li", "p"):
            self.words.append(" ")

    def handle_data(self, data):
        if not any(tag == "style" for tag, _ in self.open):
            self.words.append(data)
            self.inside.append((data, [attrs.get("class") or "" for _, attrs in self.open]))

    @property
    def text(self):
        return "".join(self.words)

    def all(self, *tags):
        return [attrs for tag, attrs in self.elements if tag in tags]

    def sample_texts(self):
        """Of each sample its text, as (words, classes of the spans over them), without tags."""
        return [
            (data, [name.split()[1] for name in names if name.startswith("m ")])
            for data, names in self.inside
            if any(name.startswith("text ") for name in names)
            and not any(n.startswith("tag") for n in names)
        ]


def measure(value, low=None, high=None, n=0):
    return {"value": value, "low": low, "high": high, "n": n}


AGREEMENT = {
    "items": 1301,
    "single": 1302,
    "documents": 19,
    "annotators": {"anna": 1303, "ben": 1304},
    "labels": {
        "claim": {
            "items": 1305,
            "single": 1306,
            "alpha": measure(0.71, 0.61, 0.81, 1305),
            "fleiss": 0.62,
            "fleiss_items": 1307,
            "fleiss_answers": 1308,
            "labels": {"claim": 0.51, "no_claim": None},
            "pairs": [
                {"first": "anna", "second": "ben", "n": 1309, "agreement": 0.871, "kappa": 0.52}
            ],
            "pairs_left_out": 1310,
            "annotators": {
                "anna": {"n": 1311, "compared": 1312, "with_majority": 0.912, "kappa": 0.53},
                "ben": {"n": 1313, "compared": 0, "with_majority": None, "kappa": None},
            },
        }
    },
    "spans": {
        "attribution": {
            "items": 1314,
            "single": 1315,
            "alpha": measure(-0.15, None, None, 21316),
            "roles": {"cue": 0.83},
            "pairs": [
                {"first": "anna", "second": "ben", "n": 1317, "figures": {"cue.exact.f1": 0.641}}
            ],
            "pairs_left_out": 0,
            "annotators": {"anna": {"n": 1318, "figures": {"cue.exact.f1": 0.642}}},
        }
    },
    "people": {"claim": {"macro_f1": measure(0.771, 0.762, 0.783, 1319)}},
}
REPORT = {
    "rows": {"train": 4001, "dev": 402, "test": 403},
    "label_sets": {"claim": ["no_claim", "claim"], "stance": ["against", "favor"]},
    "labels": {
        "train": {
            "claim": {"claim": 3001, "no_claim": 1002},
            "stance": {"favor": 1201, "none": 1202},
        },
        "dev": {"claim": {"claim": 351}},
        "test": {"claim": {"claim": 352}},
    },
    "sources": [
        {
            "name": "mine",
            "licence": "CC BY 4.0",
            "citation": "Holm (2024). Harbour news.",
            "url": "https://example.org/a?b=1&c=2",
            "version": "1.7.3",
            "read": 5001,
            "rows": {"train": 3101, "dev": 402},
            "labels": {"train": {"claim": {"claim": 2901}}},
            "dropped": {"expected a text": 61},
            "ties": {"stance": 62},
            "facts": {"a/b.json": {"offsets": "UTF-16 units"}},
        },
        {
            "name": "theirs",
            "url": "javascript:alert(1)",
            "read": 5002,
            "rows": {"train": 900, "test": 403},
            "labels": {},
            "dropped": {},
            "ties": {},
            "facts": {},
        },
    ],
    "repeated_texts": {"train": 71, "dev": 72, "test": 73},
    "overlaps": [
        {
            "first": "train",
            "second": "test",
            "exact": 81,
            "near": 82,
            "short": 87,
            "repeated": 83,
            "documents": 84,
            "outlets": 85,
            "targets": 86,
            "examples": [["te:1", "tr:1", 0.882]],
            "exact_examples": [["te:2", "tr:2"]],
            "repeated_examples": [["te:3", "tr:3"]],
        }
    ],
    "division": {
        "by": "outlet",
        "near": 0.75,
        "short": 17,
        "folds": 7,
        "fold": 5,
        "groups": 911,
        "largest_group": 92,
        "shares": {
            "train": {"rows": [0.714, 0.708], "stance favor": [0.714, 0.659]},
            "test": {"rows": [0.143, 0.151], "stance favor": [0.143, 0.168]},
        },
    },
    "agreement": {"mine": AGREEMENT},
    "codebook": {
        "title": "Stances on the harbour",
        "version": "2.5",
        "language": "en",
        "labels": {
            "stance": {
                "favor": {
                    "definition": "Speaks for it.",
                    "examples": ["She praised it."],
                    "counterexamples": ["She saw it."],
                },
                "against": {},
            }
        },
        "targets": {"the bridge": {"aliases": ["the crossing"], "definition": "Over the Sund."}},
    },
    "codebook_warnings": ["labels.stance.against: expected a definition, found none"],
    "soft": {"claim": 93},
    "seed": 1379,
    "versions": {"claimstance": "0.1.0", "numpy": "2.4.1"},
    "fingerprint": "f00d" * 16,
    "fingerprints": {"train": "aa11" * 16, "dev": "bb22" * 16, "test": "cc33" * 16},
}
SAMPLES = [
    Record(
        id="s:1",
        doc_id="s",
        text="Holm said on Monday Noren lies.",
        claim="claim",
        check_worthy="yes",
        attributions=[Attribution(source=[(0, 4)], cue=[(5, 9)], content=[(10, 12), (20, 30)])],
        entities=[Entity(span=[(0, 4)], label="PERSON"), Entity(span=[(8, 15)], label="MISC")],
        stances=[
            Stance(holder=[(0, 4)], target=[(20, 25)], label="against"),
            Stance(
                holder=None,
                target="the bridge",
                label="favor",
                probabilities={"favor": 0.7, "against": 0.3},
            ),
        ],
        annotator="anna",
        meta={"corpus": "mine", "outlet": "The Post"},
    ),
    Record(id="s:2", text="قال الوزير إن الجسر آمن.", entities=[]),
]
LENGTHS = Lengths(counts={"train": [11, 3212, 0, 13], "test": [14]}, limit=16, limit_note="a guess")


@pytest.fixture(scope="module")
def report():
    return BuildReport.model_validate(REPORT)


@pytest.fixture(scope="module")
def html(report):
    return render(report, SAMPLES, LENGTHS)


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


def numbers(value, key=""):
    if isinstance(value, dict):
        for name, part in value.items():
            yield from numbers(part, f"{key}.{name}")
    elif isinstance(value, list):
        for part in value:
            yield from numbers(part, key)
    elif isinstance(value, (int, float)):
        yield key, value


def test_every_number_and_word_of_the_report_is_on_the_page(page):
    for key, number in numbers(REPORT):
        told = (
            (f"{number:,}", str(number))
            if isinstance(number, int)
            else (f"{number:.2f}".replace("-", "−"), f"{number:.3f}", f"{100 * number:.1f} %")
        )
        assert any(re.search(rf"(?<![\d.,]){re.escape(form)}(?!\d)", page.text) for form in told), (
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


def test_left_out_is_summed_and_the_worst_share_named(page):
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
    assert links == [
        {"href": "report.json"},
        {"href": "https://example.org/a?b=1&c=2", "rel": "noreferrer noopener"},
    ]  # no javascript:
    assert "javascript:alert(1)" in page.text
    assert not re.search(r"url\(|@import", html)


def test_page_is_in_order_for_those_who_hear_it(page):
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(set(ids)) == len(ids)
    named = [
        name for _, attrs in page.elements for name in attrs.get("aria-labelledby", "").split()
    ]
    anchors = [a["href"][1:] for a in page.all("a") if a["href"].startswith("#")]
    assert set(named) | set(anchors) <= set(ids)
    assert len(anchors) == 10
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert len(page.all("caption")) == len(page.all("table")) > 10
    assert all(attrs.get("scope") in ("row", "col") for attrs in page.all("th"))
    assert all(attrs.get("aria-hidden") or attrs.get("aria-label") for attrs in page.all("svg"))
    assert page.all("html")[0]["lang"] == "en"


def test_same_report_same_bytes(report, html, tmp_path):
    write_report_page(report, SAMPLES, LENGTHS, tmp_path / "report.html")
    assert (tmp_path / "report.html").read_bytes() == html.encode()
    again = BuildReport.model_validate_json(report.model_dump_json())
    assert render(again, SAMPLES, LENGTHS) == html


def hostile(value):
    """All text of a report but what has a meaning: names of tasks, splits and fields."""
    if isinstance(value, dict):
        return {key: hostile(part) for key, part in value.items()}
    if isinstance(value, list):
        return [hostile(part) for part in value]
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


def test_marks_lie_over_their_words_where_spans_nest_overlap_and_go_on(page):
    assert page.sample_texts() == [
        ("Holm", ["source", "entity", "holder"]),
        (" ", []),
        ("sai", ["cue"]),
        ("d", ["cue", "entity"]),
        (" ", ["entity"]),
        ("on", ["entity", "content"]),
        (" Mo", ["entity"]),
        ("nday ", []),
        ("Noren", ["content", "target"]),
        (" lies", ["content"]),
        (".", []),
        ("قال الوزير إن الجسر آمن.", []),
    ]
    tags = [
        (data, names[-1]) for data, names in page.inside if names and names[-1].startswith("tag")
    ]
    assert tags == [
        ("source 1", "tag source"),
        ("PERSON", "tag entity"),
        ("holder 1", "tag holder"),
        ("cue 1", "tag cue"),
        ("MISC", "tag entity"),
        ("content 1", "tag content"),
        ("… content 1", "tag content"),
        ("target 1", "tag target"),
    ]
    assert [a["dir"] for a in page.all("p") if a.get("class", "").startswith("text")] == [
        "auto",
        "auto",
    ]
    assert "source, cue" not in page.text  # the tags of a piece are apart
    assert "nobody named" in page.text
    assert "favor 70.0 %, against 30.0 %" in page.text
    assert (
        "Annotated, none there: entities. "
        "Not annotated: claim, check-worthy, subjective, attributions, stance."
    ) in page.text


def test_spans_that_several_stances_share_are_marked_once():
    record = Record(
        id="1",
        text="Holm likes Noren.",
        stances=[
            Stance(holder=[(0, 4)], target=[(11, 16)], label="favor"),
            Stance(holder=[(0, 4)], target="x", label="favor"),
        ],
    )
    shown = sample(record)
    assert [mark.tag for piece in shown.segments for mark in piece.begins] == [
        "holder 1, 2",
        "target 1",
    ]


def test_a_long_text_says_how_much_is_not_shown(report):
    long = Record(
        id="1",
        text="a" * (MAX_CHARACTERS + 1234),
        entities=[
            Entity(span=[(MAX_CHARACTERS - 5, MAX_CHARACTERS + 5)], label="MISC"),
            Entity(span=[(MAX_CHARACTERS + 7, MAX_CHARACTERS + 9)], label="PERSON"),
        ],
    )
    shown = sample(long)
    assert [len(piece.text) for piece in shown.segments] == [MAX_CHARACTERS - 5, 5]
    assert "1,234 more characters of the text are not shown" in Page(render(report, [long])).text


def test_a_report_with_nothing_more_than_it_must_have_is_told(report):
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
    of_claim = {
        **AGREEMENT["labels"]["claim"],
        "pairs": [{**pair, "n": 7000 + i} for i in range(MAX_PAIRS + 4)],
    }
    agreement = AgreementReport.model_validate({**AGREEMENT, "labels": {"claim": of_claim}})
    report = BuildReport.model_validate({**REPORT, "agreement": {"mine": agreement}})
    text = Page(render(report, [])).text
    assert f"{7000 + MAX_PAIRS - 1:,}" in text
    assert f"{7000 + MAX_PAIRS:,}" not in text
    assert "1,314 more pairs" in text  # 4 that are in the report, and 1310 that are not


def test_labels_stand_in_their_order_with_shares_of_those_that_are_labels():
    labels = {"train": {"stance": {"favor": 3, "against": 1, "none": 6, "other": 0}}, "dev": {}}
    assert label_rows(labels, "stance", ["against", "neutral", "favor"]) == [
        LabelRow("against", {"train": 1, "dev": 0}, {"train": 0.25, "dev": None}),
        LabelRow("neutral", {"train": 0, "dev": 0}, {"train": 0.0, "dev": None}),
        LabelRow("favor", {"train": 3, "dev": 0}, {"train": 0.75, "dev": None}),
        LabelRow("other", {"train": 0, "dev": 0}, {"train": 0.0, "dev": None}),
        LabelRow("none", {"train": 6, "dev": 0}, {"train": None, "dev": None}),
    ]


def test_lengths_are_counted_in_bins_of_eight_words():
    lengths = Lengths.of_words(
        {"train": np.array([0, 7, 8, 15, 16, 183, 184, 9999]), "test": np.array([], dtype=int)}
    )
    train = lengths.counts["train"]
    assert (train[:3], train[22], train[23], train[BINS - 1], len(train)) == (
        [2, 2, 1],
        1,
        1,
        1,
        BINS,
    )
    assert lengths.beyond("train") == 2  # of 184 and of 9999 words
    assert lengths.median_bound("train") == 15  # the fourth of eight has 15
    assert (lengths.median_bound("test"), lengths.beyond("test")) == (None, 0)
    assert (lengths.label(0), lengths.label(BINS - 1)) == ("0 to 7", "504 and more")


def test_histograms_have_one_scale():
    drawn = histograms(Lengths(counts={"train": [1, 3], "test": [1, 1, 0]}, limit=8))
    heights = {split: [bar.height for bar in one.bars] for split, one in drawn.items()}
    full = heights["train"][1]
    # The highest bar is three quarters of train: a quarter is a third of it, a half two thirds.
    assert heights["train"] == [pytest.approx(full / 3, abs=0.1), full]
    assert heights["test"] == [pytest.approx(full * 2 / 3, abs=0.1)] * 2
    assert drawn["train"].highest == 0.75
    assert drawn["train"].limit == drawn["train"].bars[1].x
    assert list(drawn["train"].ticks) == [0, 8]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ((0.85, 0.82, 0.9), "reliable"),
        ((0.8, 0.8, 0.8), "reliable"),
        (
            (0.7, 0.6, 0.81),
            "good for tentative conclusions; by its interval perhaps too low to rely on or reliable",
        ),
        ((0.7, None, None), "good for tentative conclusions"),
        ((0.66, 0.5, 0.66), "too low to rely on"),
        ((-0.1, -0.3, 0.2), "no better than chance; by its interval perhaps too low to rely on"),
    ],
)
def test_what_an_alpha_means(values, words):
    assert verdict(Measure(value=values[0], low=values[1], high=values[2], n=1000)) == words


def test_an_undefined_alpha_says_why():
    assert verdict(Measure(value=None, low=None, high=None, n=3)).startswith(
        "not defined: all answers are alike"
    )


def test_few_items_and_documents_call_for_caution():
    good, open_ended = (
        Measure(value=0.8, low=0.7, high=0.9, n=500),
        Measure(value=0.8, low=None, high=None, n=500),
    )
    assert cautions(500, good) == []
    assert "fewer than 100 items" in cautions(99, good)[0]
    assert "no interval" in cautions(500, open_ended)[0]
    assert few_documents(20) is None
    assert "12 documents" in few_documents(12)


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_wrong_in_a_browser(open_page, complaints, html, scheme):
    page = open_page(html, color_scheme=scheme, bypass_csp=True)  # see complaints
    page.evaluate("document.querySelectorAll('details').forEach(it => it.open = true)")
    assert complaints(page) == []
