"""WebAnno TSV 3, as INCEpTION exports it."""
