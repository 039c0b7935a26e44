"""Things saved for later: states of runs and trainings, records of batches, painted frames of films.

They are written completely or not at all, read as if somebody else had made them, and used by one process at a time.
"""
