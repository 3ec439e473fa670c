"""Writers of results: JSON Lines, tables, data frames and annotation tasks."""
