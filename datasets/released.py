"""What other methods made, as the authors of Deep Image Prior released it with their project page, and SelfExSR's LR.

Not for restoring: for scoring, and for checking operators. Names are task/(data set/)method/image:
sr_x4/set5 and sr_x4/set14: LR, bicubic, tv_prior, glasner, deep_prior, LapSRN, SRResNet-MSE, and no_prior for set5;
denoise_color_s25 (`cbm3d9`, sigma 25): noisy, bm3d, deep_prior; inpaint_gray_50p (`inpaint11`): masked, voronoi,
papyan, deep_prior. In sr_x4, no_prior, tv_prior and deep_prior are RGBA, opaque everywhere, and black outside the
centred part whose sides are multiples of 32.
"""

from dataclasses import dataclass

from dipbench.data.collection import Collection


@dataclass(frozen=True)
class Released(Collection):
    """Released outputs of Deep Image Prior and of the methods it was compared with, 209 images."""

    paper = "arXiv:1711.10925"
    licence = "none stated for the images; the repository of the project page is MIT"
