"""Makes adapters: a pruned encoder trained to answer like the un-pruned one, or better."""
