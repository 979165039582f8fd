"""Which tokens stop after which layer, and what that costs."""
