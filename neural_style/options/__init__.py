"""What can be asked for: the table of flags, the command line that is made of it, and the checks that it implies."""
