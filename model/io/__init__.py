"""Lines, delimiters and vocabularies that readers and writers of files share."""
