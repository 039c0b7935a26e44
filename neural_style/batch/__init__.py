"""Many pictures by one command: which pairs there are, who paints them, and what has come of each."""
