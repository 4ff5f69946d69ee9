"""The stopping rules, one file each: see `dipbench.contract.Rule`; `dipbench check` tries one."""
