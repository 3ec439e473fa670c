"""Names, continuations of quotations, and the pairs of holders and targets of an article."""
