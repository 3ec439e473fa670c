"""Annotated files and public corpora, read into one dataset. Nothing in this package loads torch."""
