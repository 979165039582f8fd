"""Training: what a student sees, what it is asked for, how far it is."""
