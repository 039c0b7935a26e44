"""Options: the table of flags, the command line built from it, and the checks."""
