"""Searches pruning plans: accuracy and agreement against cost, with controls."""
