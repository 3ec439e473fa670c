"""Random samples of answers that people code by hand: drawn, written as sheets, and read back."""
