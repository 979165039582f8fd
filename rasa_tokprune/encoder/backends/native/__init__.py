"""The fastest CPU path: the pruned forward pass of one sentence as a C library."""
