"""What compares this package with its peers, and what makes the tables and plots of the docs."""
