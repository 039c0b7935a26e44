"""Films: read frame by frame, painted one frame after the other, each from what was made of the one before, and written.

Painted frames are kept beside the film to be until it is complete, so that a command that was broken off goes on.
"""
