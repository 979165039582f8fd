"""`rasa-tokprune evaluate`: what the classifier is worth on tasks, without training whole Rasa.

Importing this loads nothing.
"""
