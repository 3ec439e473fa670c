"""The command line: the composition root, which alone imports both training and inference."""
