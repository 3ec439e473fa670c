"""Small records and files for the linter."""

TEXT = "Mayor Ida Holm said the new bridge is safe."


def codes(findings):
    return [finding.code for finding in findings]


def stances(*labels, **more):
    return [{"stances": [{"target": "traffic", "label": label, **more}]} for label in labels]


def csv(*labels):
    return {
        "t.csv": "text,label\n"
        + "".join(f"Sentence {i}.,{label}\n" for i, label in enumerate(labels))
    }
