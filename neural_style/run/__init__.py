"""A run, from its arguments to its last picture: put together (setup.py), planned, started, optimised, saved, resumed."""
