"""What runs the layers: torch, ONNX Runtime, the C library."""
