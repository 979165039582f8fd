"""Pictures of measurements, drawn in one way: light and dark, labelled in words, no legends."""
