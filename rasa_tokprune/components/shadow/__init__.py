"""Shadow mode: some messages are also answered un-pruned, and what differs is counted."""
