"""Many pictures by one command: which pairs there are, where they are painted, and what became of each."""
