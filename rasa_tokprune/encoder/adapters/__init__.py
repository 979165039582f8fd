"""Small changes of the weights, merged into them at load."""
