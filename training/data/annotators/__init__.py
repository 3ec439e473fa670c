"""Several annotators: how far they agree, and how their word becomes one."""
