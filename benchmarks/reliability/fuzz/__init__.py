"""What generated messages, configurations, training files and sentences of tokens bring to light."""
