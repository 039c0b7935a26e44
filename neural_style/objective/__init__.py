"""What is minimised: weighted terms on the network's features and on the image itself, as one Objective.

terms.py says what is compared, examples.py with which pictures and where, patches.py how patches find their matches.
graph.py evaluates it as the reference does, in one symbolic graph; the package layers is the other engine.
"""
