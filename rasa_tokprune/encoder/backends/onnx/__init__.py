"""The fast CPU path: the pruned forward pass as a graph of ONNX Runtime. Imports no torch."""
