"""`rasa-tokprune doctor`: what is wrong here, or with a bot, and what to do."""
