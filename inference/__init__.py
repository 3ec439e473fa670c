"""Tagging articles with a trained model. Needs onnxruntime and tokenizers; never torch."""

from claimstance.inference.results import Attribution, Entity, Label, Sentence, Source, Span, Stance, TaggedArticle
from claimstance.inference.tagger import Tagger

__all__ = ["Attribution", "Entity", "Label", "Sentence", "Source", "Span", "Stance", "TaggedArticle", "Tagger"]
