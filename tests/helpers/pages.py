"""Make tagged articles by hand, and read the pages that are rendered from them."""

import hashlib
import re
from base64 import b64decode
from html.parser import HTMLParser

from claimstance.inference.grouping import group_sources
from claimstance.inference.results import Label, Sentence, Stance, TaggedArticle
from claimstance.model.article.spans import Attribution, Span

VOID = {"meta", "input", "link", "br", "hr", "img", "col"}
MODEL = {"name": "m", "version": "1", "sha256": "0123456789abcdef" * 4}


def sure(label, probability=0.9, names=("against", "neutral", "favor")):
    """Return a label with its probability; the other names share the rest evenly."""
    rest = (1 - probability) / (len(names) - 1)
    return Label(
        label, probability, {name: probability if name == label else rest for name in names}
    )


def span(text, words, name=None, start=0):
    """Return the span of words in a text, at or after ``start``."""
    first = text.index(words, start)
    last = first + len(words)
    return Span(first, last, words, ((first, last),), name)


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
    """Return a stance of ``name`` on ``on``; ``holder`` and ``target`` are their spans in the text, if any."""
    shares = sure(label, probability).probabilities
    return Stance(name, on, label, probability, shares, sentence, holder, target, abstained)


def tagged(text, sentences, said=(), stances=(), doc_id="d", title=None, claims=(), warnings=()):
    """Return an article of ``sentences``, which are texts.

    Each attribution in ``said`` is (sentence index, source, name, cue, content, probability), its spans as texts too.
    """
    tagged_sentences, end = [], 0
    for index, sentence_text in enumerate(sentences):
        sentence_span = span(text, sentence_text, start=end)
        start, end = sentence_span.start, sentence_span.end
        attributions = []
        for sentence, source, name, cue, content, probability in said:
            if sentence == index:
                source_span = source and span(text, source, name, start)
                cue_span = cue and span(text, cue, start=start)
                content_span = content and span(text, content, start=start)
                attributions.append(Attribution(source_span, cue_span, content_span, probability))
        claim = claims[index] if index < len(claims) else 0.2
        tagged_sentences.append(
            Sentence(
                index,
                start,
                end,
                sentence_text,
                Label("claim", claim, {"no_claim": 1 - claim, "claim": claim}),
                Label("no", 0.6, {"no": 1 - index / 100, "yes": index / 100}),
                attributions,
                [],
                [stance for stance in stances if stance.sentence == index],
            )
        )
    sources = group_sources(tagged_sentences)
    return TaggedArticle(doc_id, title, text, MODEL, tagged_sentences, sources, list(warnings))


class Page(HTMLParser):
    """Parse a page into elements, as (name, attributes), and their texts; fail if it is not well formed."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.elements, self._open, self._texts = [], [], {}
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        assert len(dict(attrs)) == len(attrs), f"an attribute occurs twice: {tag} {attrs}"
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
        """Return the elements with these attributes as (attributes, text); ``class_`` is one of their classes."""

        def matches(attrs, key, value):
            if key == "class_":
                return value in (attrs.get("class") or "").split()
            return attrs.get(key) == value

        return [
            (attrs, self._texts.get(index, ""))
            for index, (name, attrs) in enumerate(self.elements)
            if tag in (None, name)
            and all(matches(attrs, key, value) for key, value in attributes.items())
        ]

    def text(self, number):
        """Return the text of the element at a position in ``elements``."""
        return self._texts.get(number, "")

    def one(self, tag=None, **attributes):
        """Return the text of the only element with these attributes."""
        ((_, text),) = self.all(tag, **attributes)
        return text


def assert_loads_nothing(page):
    """Check that a page's policy allows its own style and script alone, and that no element has code or a source."""
    [policy] = [attrs["content"] for attrs, _ in page.all("meta") if "http-equiv" in attrs]
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
    attributes = {key for _, attrs in page.elements for key in attrs}
    assert [
        key
        for key in attributes
        if key.startswith("on") or key in ("style", "src", "srcset", "action")
    ] == []
