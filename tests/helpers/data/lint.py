"""Make small records and files for the linter."""

TEXT = "Mayor Ida Holm said the new bridge is safe."


def codes(findings):
    """Return the codes of findings."""
    return [finding.code for finding in findings]


def stances(*labels, **fields):
    """Return the stances of a record for each label, each with these fields."""
    return [{"stances": [{"target": "traffic", "label": label, **fields}]} for label in labels]


def csv(*labels):
    """Return the name and content of a table with a sentence for each label."""
    return {
        "t.csv": "text,label\n"
        + "".join(f"Sentence {i}.,{label}\n" for i, label in enumerate(labels))
    }
