"""Who "he" is: names and pronouns resolved over an article."""
