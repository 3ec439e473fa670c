"""Shared by several test files: locations, a tiny model, programs that are run, browsers, servers."""
