"""The report of a built dataset: figures, samples and its page."""
