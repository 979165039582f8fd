"""What the package does with code, files, texts and the network."""
