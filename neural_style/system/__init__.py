"""The base of everything else: errors, files, the terminal, and facts about the machine and its memory."""
