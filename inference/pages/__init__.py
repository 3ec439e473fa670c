"""HTML pages of tagged articles."""
