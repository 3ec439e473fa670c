"""The network and what it needs to be saved, loaded and run: labels, records, windows, decoding, export."""
