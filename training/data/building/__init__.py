"""From annotated files to a saved dataset with its report, in bounded memory."""
