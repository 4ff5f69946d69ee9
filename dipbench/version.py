"""The version of dipbench."""

__version__ = "0.1.0"
