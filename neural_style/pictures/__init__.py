"""Pictures: read as people see them, resized and brought to the network's range and back, and saved."""
