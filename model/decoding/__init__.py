"""Decoding of the network's logits to spans, entities and attributions, in numpy."""
