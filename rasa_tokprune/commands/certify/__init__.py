"""`rasa-tokprune certify`: how often a plan changes a bot's answers."""
