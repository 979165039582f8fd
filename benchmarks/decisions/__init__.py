"""How the constants of the few-shot decision were chosen."""
