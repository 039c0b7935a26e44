"""Pages that a browser shows from a file: of a run or a training, and the contact sheet of a batch."""
