"""A run, from its arguments to its last picture: set up (setup.py), planned, started, optimised, saved, resumed."""
