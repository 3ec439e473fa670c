"""Check what must not change for speed: labels as in float32, and the same result in any batch."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import articles as made
from speed_page import Row, row

from claimstance.inference import Tagger
from claimstance.inference.articles.sources import Article, read_articles
from claimstance.inference.results import TaggedArticle
from claimstance.model.bundled import BUNDLED_MODELS
from claimstance.model.config import ModelConfig
from claimstance.model.network import ClaimStanceModel
from claimstance.model.onnx.backend import TOKENIZER_FILE
from claimstance.model.text.sentences import split_sentences
from claimstance.model.torch_backend import torch_predictor
from claimstance.model.windows import WindowBuilder


def operations(file: Path, model: str = "small") -> tuple[float, int, int]:
    """Count operations, tokens and sentences of one bare pass of the encoder's matrices over a file's articles.

    Two operations for each parameter of a matrix (four of attention, two of the feed-forward layer) and each token of
    the text; none for attention itself, special tokens or heads.
    """
    folder = BUNDLED_MODELS[model]
    config = ModelConfig.load(folder)
    size, inner = config.encoder["hidden_size"], config.encoder["intermediate_size"]
    matrices = config.encoder["num_hidden_layers"] * (4 * size * size + 2 * size * inner)
    windows = WindowBuilder.from_file(folder / TOKENIZER_FILE, config.max_tokens)
    tokens = sentences = 0
    for article in _articles(file):
        texts = [article.text[start:end] for start, end in split_sentences(article.text)]
        tokens += sum(map(len, windows.tokenize(texts)))
        sentences += len(texts)
    return 2.0 * matrices * tokens, tokens, sentences


def agreement(folder: Path, corpora: Path | None) -> list[Row]:
    """The labels of the shipped path beside those of float32 torch, and its bytes in other orders and company."""
    rows = made.polnear(corpora) if corpora else made.articles(84)
    articles = list(_articles(made.write(folder / "agreement.jsonl", rows)))
    tagger = Tagger.from_pretrained(threads=2)
    fast = list(_tagged(tagger, articles))
    exact = list(
        _tagged(
            Tagger(torch_predictor(ClaimStanceModel.from_pretrained(BUNDLED_MODELS["small"])), ""),
            articles,
        )
    )
    same = [
        mine == other
        for one, two in zip(fast, exact, strict=True)
        for mine, other in _labels(one, two)
    ]
    alike = [one.to_dict() for one in fast]
    others = {
        "alone": [
            Tagger.from_pretrained(threads=1).tag(a.text, doc_id=a.doc_id, neutral=True).to_dict()
            for a in articles
        ],
        "backwards, three at a time": [
            one.to_dict() for one in _tagged(Tagger.from_pretrained(threads=3), articles[::-1])
        ][::-1],
    }
    equal = [
        _bytes(one) == _bytes(two)
        for other in others.values()
        for one, two in zip(alike, other, strict=True)
    ]
    place = "PolNeAR dev" if corpora else "made articles"
    return [
        row(
            "labels as float32 torch has them",
            [100 * sum(same) / len(same)],
            "%",
            must=99.5,
            better="higher",
            n=len(same),
            note=f"{place}: labels of sentences, and of stances that both were asked about; the weights "
            "are int8 in both, activations in one",
        ),
        row(
            "articles with the same bytes alone, backwards, on 1 to 3 threads",
            [100 * sum(equal) / len(equal)],
            "%",
            must=100,
            better="higher",
            n=len(equal),
        ),
    ]


def _articles(file: Path) -> Iterable[Article]:
    return (article for article in read_articles([str(file)]) if isinstance(article, Article))


def _tagged(tagger: Tagger, articles: Sequence[Article]) -> Iterable[TaggedArticle]:
    return (
        tagged
        for tagged in tagger.tag_all(articles, neutral=True)
        if isinstance(tagged, TaggedArticle)
    )


def _labels(one: TaggedArticle, other: TaggedArticle) -> Iterable[tuple[Any, Any]]:
    for mine, theirs in zip(one.sentences, other.sentences, strict=True):
        for task in ("claim", "check_worthy", "subjective"):
            if label := getattr(mine, task):
                yield label.label, getattr(theirs, task).label
        asked = {(stance.holder_span, stance.target): stance.label for stance in theirs.stances}
        for stance in mine.stances:
            if (key := (stance.holder_span, stance.target)) in asked:
                yield stance.label, asked[key]


def _bytes(tagged: dict[str, Any]) -> str:
    return json.dumps({**tagged, "title": None, "meta": {}}, sort_keys=True)
