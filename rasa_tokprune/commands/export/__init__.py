"""`rasa-tokprune export`: adapted weights, un-pruned, as a checkpoint that other programs load."""
