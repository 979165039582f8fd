"""The reference: the packed forward pass in torch, on CPU or GPU."""
