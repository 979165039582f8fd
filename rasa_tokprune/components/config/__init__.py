"""Configuration keys of the components: defaults, checks, meaning."""
