"""Estimates -> rows and outputs: what is recorded of a run while it goes on, and which of its outputs are kept.

`step` is what comes in, `recorder` writes it down; `signals/` and `rules/` hold the plugins, one file each (README.md).
"""
