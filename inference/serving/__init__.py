"""HTTP server: tags articles and predicts records, and shows an article as a page."""
