"""Whose answers pruning changes: which tokens go, which kinds of message suffer."""
