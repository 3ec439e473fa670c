"""The page of an evaluation, and the page that compares two evaluations."""
