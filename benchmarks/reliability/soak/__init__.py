"""A long run of mixed messages, with payloads and huge ones among them."""
