"""From a model's name to its weights: found, checked, read."""
