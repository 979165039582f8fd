"""Ours against what a bot has: other classifiers, each in an environment of its own."""
