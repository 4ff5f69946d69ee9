"""What of the data a fit is not shown, one file each: see `dipbench.contract.Validation`."""
