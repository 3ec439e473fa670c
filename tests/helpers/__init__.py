"""Share locations, a tiny model, made-up data, programs and servers among test files."""
