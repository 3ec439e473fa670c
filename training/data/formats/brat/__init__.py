"""brat standoff: reader, folders and writer."""
