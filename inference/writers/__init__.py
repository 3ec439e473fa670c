"""Results as JSON Lines, tables, data frames and tasks."""
