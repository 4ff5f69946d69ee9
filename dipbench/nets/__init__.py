"""Network architectures that priors share, and those of the paper by name."""

from dipbench.nets.catalogue import OfficialNetwork, official, official_names, official_networks

__all__ = ["OfficialNetwork", "official", "official_names", "official_networks"]
