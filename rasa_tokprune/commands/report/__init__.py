"""`rasa-tokprune report`: one page about a bot, in one file."""
