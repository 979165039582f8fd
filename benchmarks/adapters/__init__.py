"""What the shipped plans with their adapters cost and keep."""
