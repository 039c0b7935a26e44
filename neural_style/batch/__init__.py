"""Many pictures with one command: the pairs, where they are painted, and the outcome of each."""
