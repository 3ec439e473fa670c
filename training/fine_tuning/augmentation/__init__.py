"""Further training examples made of others: sentences joined, negated or quoted, and names replaced."""
