"""Whole Rasa: training, answers, servers."""
