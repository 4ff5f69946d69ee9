"""Deep Image Prior's hourglass. Ulyanov, Vedaldi and Lempitsky, CVPR 2018: the network without skip connections.

The settings are those of `dip` for the task, with every skip branch left out, as the rows of vase and library have it:
`dip[skip=[0,0,0,0,0]]` by a name. Differs: nothing, there; for the other rows the paper has no such results.
"""

from dataclasses import dataclass, replace

from dipbench.methods.dip import DeepImagePrior, Recipe

from dipbench.contract import Problem


@dataclass(frozen=True)
class EncoderDecoder(DeepImagePrior):
    """Deep Image Prior whose network has no skip connections."""

    paper = "arXiv:1711.10925"

    skip: None = None  # it has no branches, which is all that it differs in from dip

    @classmethod
    def tiny(cls) -> "EncoderDecoder":
        return cls(iterations=3, down=(8, 8), input_channels=4)

    def recipe(self, problem: Problem) -> Recipe:
        recipe = super().recipe(problem)
        return replace(recipe, skip=(0,) * len(recipe.down))
