"""The other engine: the VGGs layer by layer, as a whole or in strips, in faster sums or in bfloat16.

engine.py holds the terms against the features that network.py makes of a picture; segments.py cuts the way through the
network into strips; convolutions.py and winograd.py multiply; losses.py has the terms; arena.py the memory; operators.py
calls MXNet. Where Numba is installed, fast32 goes on with features in another form from some layer on: last.py holds them,
compiled.py has the loops. Nothing here knows of runs, files or flags.
"""
