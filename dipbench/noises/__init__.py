"""What comes on top of a clean measurement, one file each: see `dipbench.contract.Noise`."""
