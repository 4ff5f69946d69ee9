"""Pixels as such: files, resampling, and tensors as arrays."""

from dipbench.images.files import read_image, write_image

__all__ = ["read_image", "write_image"]
