"""The page of an evaluation, and the one of two beside each other."""
