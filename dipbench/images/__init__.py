"""Pixels as such: files, resampling, and tensors as arrays."""
