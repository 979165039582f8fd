"""Rasa graph components: configuration in, messages out; the maths is in the core."""
