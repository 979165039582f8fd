"""What the English default encoder does with bots in other languages."""
