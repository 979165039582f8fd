"""The lexical view: what a message says by its very words, beside its embedding."""
