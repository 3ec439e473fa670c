"""Coreference: names and pronouns of sources, resolved over an article."""
