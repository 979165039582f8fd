"""`rasa-tokprune plans`: the shipped pruning plans."""
