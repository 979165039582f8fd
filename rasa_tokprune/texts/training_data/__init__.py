"""Rasa's training data in YAML, read without Rasa: the same examples in the same order."""
