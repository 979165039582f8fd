"""Messages read, disturbed, measured and encoded; below every command."""
