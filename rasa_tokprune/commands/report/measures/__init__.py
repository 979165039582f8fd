"""What a report measures: each part by itself, into plain data."""
