"""Small inputs for tests of training data."""
