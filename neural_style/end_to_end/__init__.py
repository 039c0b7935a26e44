"""Pictures in one pass: networks that are trained on the objective of a run, and then paint in a single pass.

generators.py defines the networks as symbols, photographs.py provides the training pictures, training.py is the
training loop, network.py loads, saves and applies a trained network. __main__ is the command.
"""
