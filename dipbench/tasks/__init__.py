"""Degradations, one file each: see `dipbench.contract.Task`."""
