"""A corpus of tagged articles: its statements and stances in one database, with one name for one person."""
