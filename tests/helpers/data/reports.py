"""Share a report of a built dataset with every section, and a parser of its page."""

from html.parser import HTMLParser

from claimstance.model.record import Attribution, Entity, Record, Stance
from claimstance.training.data.report.lengths import Lengths

VOID = {"meta", "br"}


HOSTILE = "\"'><script>alert(1)</script>\u202e&amp;"


class Page(HTMLParser):
    """Parse a page into elements and texts; fail if it is not well formed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.words, self.inside = [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        assert len(dict(attrs)) == len(attrs), f"an attribute occurs twice: {attrs}"
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
        """Return the words of the page."""
        return "".join(self.words)

    def all(self, *tags):
        """Return the attributes of the elements with these tags."""
        return [attrs for tag, attrs in self.elements if tag in tags]

    def sample_texts(self):
        """Return the texts of the samples, without tags, as (words, classes of the spans over them)."""
        texts = []
        for data, class_names in self.inside:
            is_text = any(name.startswith("text ") for name in class_names)
            is_tag = any(name.startswith("tag") for name in class_names)
            if is_text and not is_tag:
                spans = [name.split()[1] for name in class_names if name.startswith("m ")]
                texts.append((data, spans))
        return texts


def measure(value, low=None, high=None, n=0):
    """Return a figure with its interval, as a report has it."""
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
