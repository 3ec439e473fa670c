"""Tagged articles made by hand, and a reader of the pages they give: what several tests of pages share."""

import hashlib
import re
from base64 import b64decode
from html.parser import HTMLParser

from claimstance.inference.grouping import group_sources
from claimstance.inference.results import (
    Attribution,
    Label,
    Sentence,
    Span,
    Stance,
    TaggedArticle,
)

VOID = {"meta", "input", "link", "br", "hr", "img", "col"}
MODEL = {"name": "m", "version": "1", "sha256": "0123456789abcdef" * 4}


def sure(label, probability=0.9, names=("against", "neutral", "favor")):
    rest = (1 - probability) / (len(names) - 1)
    return Label(
        label, probability, {name: probability if name == label else rest for name in names}
    )


def span(text, words, name=None, start=0):
    place = text.index(words, start)
    return Span(place, place + len(words), words, ((place, place + len(words)),), name)


def stance(
    sentence,
    name,
    on,
    label,
    probability=0.9,
    abstained=False,
    holder=None,
    target=None,
):
    """A stance of ``name`` on ``on``; ``holder`` and ``target`` are their spans in the text, if any."""
    shares = sure(label, probability).probabilities
    return Stance(name, on, label, probability, shares, sentence, holder, target, abstained)


def tagged(text, sentences, said=(), stances=(), doc_id="d", title=None, claims=(), warnings=()):
    """An article of ``sentences``, given as words; so are the parts of what is ``said``, each as (sentence, source,
    name, cue, content, probability).
    """
    found, end = [], 0
    for index, words in enumerate(sentences):
        place = span(text, words, start=end)
        end = place.end
        attributions = [
            Attribution(
                *(
                    part and span(text, part, who, place.start)
                    for part, who in ((source, name), (cue, None), (content, None))
                ),
                share,
            )
            for at, source, name, cue, content, share in said
            if at == index
        ]
        claim = claims[index] if index < len(claims) else 0.2
        found.append(
            Sentence(
                index,
                place.start,
                place.end,
                words,
                Label("claim", claim, {"no_claim": 1 - claim, "claim": claim}),
                Label("no", 0.6, {"no": 1 - index / 100, "yes": index / 100}),
                attributions,
                [],
                [one for one in stances if one.sentence == index],
            )
        )
    return TaggedArticle(doc_id, title, text, MODEL, found, group_sources(found), list(warnings))


class Page(HTMLParser):
    """A page taken apart: elements as (name, attributes), text by what holds it. What is not well formed fails."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.elements, self._open, self._texts = [], [], {}
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        assert len(dict(attrs)) == len(attrs), f"an attribute twice: {tag} {attrs}"
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(len(self.elements) - 1)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.elements[self._open.pop()][0] == tag, tag

    def handle_data(self, data):
        for number in self._open:
            self._texts[number] = self._texts.get(number, "") + data

    def all(self, tag=None, **attributes):
        """Elements with these attributes (``class_``: a class among others), as (attributes, text)."""
        return [
            (given, self._texts.get(i, ""))
            for i, (name, given) in enumerate(self.elements)
            if tag in (None, name)
            and all(
                value in (given.get("class") or "").split()
                if key == "class_"
                else given.get(key) == value
                for key, value in attributes.items()
            )
        ]

    def text(self, number):
        """The text of the element at this position in ``elements``."""
        return self._texts.get(number, "")

    def one(self, tag=None, **attributes):
        """The text of the only element with these attributes."""
        ((_, text),) = self.all(tag, **attributes)
        return text


def assert_loads_nothing(page):
    """Check that a page's policy allows its own style and script alone, and that no element has code or a source."""
    [policy] = [given["content"] for given, _ in page.all("meta") if "http-equiv" in given]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    for name, code in (
        ("style-src", page.one("style")),
        ("script-src", page.one("script", type=None)),
    ):
        allowed = re.fullmatch(r"'sha256-(.*)'", rules.pop(name))
        assert b64decode(allowed[1]) == hashlib.sha256(code.encode()).digest()
    assert rules == {
        "default-src": "'none'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    attributes = {key for _, given in page.elements for key in given}
    assert [
        key
        for key in attributes
        if key.startswith("on") or key in ("style", "src", "srcset", "action")
    ] == []
