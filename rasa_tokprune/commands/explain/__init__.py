"""`rasa-tokprune explain`: why a trained model answers as it does."""
