"""What everything else stands on: errors, files, and facts about the machine and its memory."""
