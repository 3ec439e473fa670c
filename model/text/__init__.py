"""Analysis of plain text: sentences, lines, quotations, mentions and names."""
