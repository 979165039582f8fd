"""The commands of `rasa-tokprune`, a folder each, and what they share."""
