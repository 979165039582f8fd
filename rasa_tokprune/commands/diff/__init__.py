"""`rasa-tokprune diff`: what changes for users from one trained model to another."""
