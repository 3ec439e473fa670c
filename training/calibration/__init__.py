"""Calibration on held-out records: probabilities, decision thresholds, and how sure is sure enough."""
