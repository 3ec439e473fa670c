"""The names that pronouns, short names and descriptions refer to."""
