"""Annotated sentences in, a fine-tuned and measured model out."""
