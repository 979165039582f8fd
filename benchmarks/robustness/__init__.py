"""Whose answers pruning changes."""
