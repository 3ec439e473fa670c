"""Read HTML: the article of a web page, and text columns that hold markup."""
