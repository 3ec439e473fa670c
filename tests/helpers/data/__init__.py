"""Share small inputs among tests of training data."""
