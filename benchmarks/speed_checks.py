"""Check that speed costs no accuracy: labels as in float32, and the same result in any batch."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from articles import make_articles, polnear_articles, write_articles
from speed_page import Row, make_row

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
    parameters = config.encoder["num_hidden_layers"] * (4 * size * size + 2 * size * inner)
    windows = WindowBuilder.from_file(folder / TOKENIZER_FILE, config.max_tokens)
    tokens = sentences = 0
    for article in _read(file):
        texts = [article.text[start:end] for start, end in split_sentences(article.text)]
        tokens += sum(map(len, windows.tokenize(texts)))
        sentences += len(texts)
    return 2.0 * parameters * tokens, tokens, sentences


def agreement(folder: Path, corpora: Path | None) -> list[Row]:
    """Compare the labels of the shipped model with those of float32 torch, and its results in different batches."""
    source = polnear_articles(corpora) if corpora else make_articles(84)
    articles = list(_read(write_articles(folder / "agreement.jsonl", source)))
    shipped = _tag(Tagger.from_pretrained("small", threads=2), articles)
    network = ClaimStanceModel.from_pretrained(BUNDLED_MODELS["small"])
    exact = _tag(Tagger(torch_predictor(network), ""), articles)
    same_labels = []
    for article, exact_article in zip(shipped, exact, strict=True):
        for label, exact_label in _label_pairs(article, exact_article):
            same_labels.append(label == exact_label)

    alone = []
    for article in articles:
        # A new tagger has no results of other articles in its cache.
        tagger = Tagger.from_pretrained("small", threads=1)
        alone.append(tagger.tag(article.text, doc_id=article.doc_id, neutral=True))
    backwards = _tag(Tagger.from_pretrained("small", threads=3), articles[::-1])[::-1]
    same_bytes = []
    for variant in (alone, backwards):
        for article, variant_article in zip(shipped, variant, strict=True):
            same_bytes.append(_bytes(article) == _bytes(variant_article))

    source_name = "PolNeAR dev" if corpora else "made articles"
    return [
        make_row(
            "labels as float32 torch has them",
            [100 * sum(same_labels) / len(same_labels)],
            "%",
            must=99.5,
            better="higher",
            n=len(same_labels),
            note=f"{source_name}: labels of sentences, and of stances that both were asked about; the weights "
            "are int8 in both, activations in one",
        ),
        make_row(
            "articles with the same bytes alone, backwards, on 1 to 3 threads",
            [100 * sum(same_bytes) / len(same_bytes)],
            "%",
            must=100,
            better="higher",
            n=len(same_bytes),
        ),
    ]


def _read(file: Path) -> Iterator[Article]:
    """Yield the articles of a file that can be read."""
    for outcome in read_articles([str(file)]):
        if isinstance(outcome, Article):
            yield outcome


def _tag(tagger: Tagger, articles: Sequence[Article]) -> list[TaggedArticle]:
    """Return the tagged articles, with neutral stances."""
    outcomes = tagger.tag_all(articles, neutral=True)
    return [outcome for outcome in outcomes if isinstance(outcome, TaggedArticle)]


def _label_pairs(article: TaggedArticle, exact: TaggedArticle) -> Iterator[tuple[Any, Any]]:
    """Yield the labels of two results for the same sentences, and for stances that both have."""
    for sentence, exact_sentence in zip(article.sentences, exact.sentences, strict=True):
        for task in ("claim", "check_worthy", "subjective"):
            answer = getattr(sentence, task)
            if answer:
                yield answer.label, getattr(exact_sentence, task).label
        exact_labels = {}
        for stance in exact_sentence.stances:
            exact_labels[stance.holder_span, stance.target] = stance.label
        for stance in sentence.stances:
            question = stance.holder_span, stance.target
            if question in exact_labels:
                yield stance.label, exact_labels[question]


def _bytes(article: TaggedArticle) -> str:
    """Return an article as JSON, without title and ``meta``, which a text tagged alone does not have."""
    return json.dumps({**article.to_dict(), "title": None, "meta": {}}, sort_keys=True)
