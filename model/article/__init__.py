"""Predictions for sentences, put together as one article: spans, quotations that run on, holders and targets."""
