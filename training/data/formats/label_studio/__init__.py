"""Label Studio exports: readers and writer."""
