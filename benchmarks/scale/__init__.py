"""Growth with tokens, examples, intents and messages."""
