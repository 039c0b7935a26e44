"""The other engine: the VGGs layer by layer, as a whole or in strips, in faster sums or in bfloat16.

engine.py holds the terms against the features that network.py makes of a picture; segments.py cuts the path through the
network into strips; convolutions.py and winograd.py multiply; losses.py has the terms; arena.py the memory;
operators.py calls MXNet. If Numba is installed, fast32 uses another layout of features from some layer on: last.py
defines it, compiled.py has the loops. Nothing here knows of runs, files or flags.
"""
