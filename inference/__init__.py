"""Tagging articles with a trained model. Needs onnxruntime and tokenizers; never torch."""
