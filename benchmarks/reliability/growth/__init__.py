"""Large bots, and bots that grow."""
