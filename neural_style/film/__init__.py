"""Films: read, painted and written frame by frame; each painted frame builds on the previous one.

Painted frames are kept next to the output until the film is complete, so that an interrupted command can be continued.
"""
