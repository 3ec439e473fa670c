"""Annotated texts of any tool, and how they become records of sentences."""
