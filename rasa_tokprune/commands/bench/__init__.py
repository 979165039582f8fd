"""`rasa-tokprune bench`: times this package on your messages, on this machine."""
