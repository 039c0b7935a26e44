"""Pictures in one pass: networks that are trained on the objective of the other commands, and then paint at once.

generators.py has the networks as symbols, photographs.py what they learn from, training.py how; network.py is one that was
trained: its file, and painting with it. __main__ is the command.
"""
