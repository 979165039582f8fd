"""Accuracy and trust on labelled tasks, beside other pipelines."""
