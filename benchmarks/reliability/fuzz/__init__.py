"""What generated messages, configurations, training files and tokens bring to light."""
