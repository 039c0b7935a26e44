"""The networks: as tables, by name with their weights on a device, and scaled to a mean activation of 1."""
