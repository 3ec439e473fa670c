"""Reading and writing of files: lines, delimiters, formats and messages that several packages share."""
