"""Sentences, mentions and names in plain text."""
