"""The server: articles and records in by HTTP, the contract's JSON or an article's page out."""
