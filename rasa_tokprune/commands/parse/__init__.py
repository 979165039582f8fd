"""`rasa-tokprune parse`: a file of messages, answered as the bot answers them."""
