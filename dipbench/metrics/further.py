"""The metrics beside PSNR and SSIM, which are computed where they are asked for: `metrics` of a suite, `--metric`.

They score the picture of an output, clipped and rounded to 8 bits as in its file, against that of the truth, in the
channels and the region of the protocol. So a number is the same whether it is taken when a run ends, or later from the
pictures in the store. Those against the truth are piq's; its data are in [0, 1], and grey or RGB.

Two need no truth, for photographs that came degraded: how near the output is to the measurement, and scikit-image's
measure of blur. Neither says that one is better: the measurement itself is nearest, and blocks of a JPEG are sharp.
BRISQUE, which piq has too, is left out: its weights are a download that no checksum of ours has seen.
"""

import warnings
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import cast

import torch
from skimage.measure import blur_effect
from torch import Tensor

from dipbench.errors import UserError, unknown
from dipbench.images.files import from_pillow, to_pillow
from dipbench.metrics.learned import distance, missing_weights
from dipbench.metrics.of_tasks import OF_TASKS
from dipbench.scoring import METRICS, Metric, Protocol

Measure = Callable[[Tensor, Tensor], Tensor]
"""The score of an image (1, C, H, W) in [0, 1], C = 1 or 3, against another, the truth as a rule."""


def _of_pictures(measure: Measure, smallest: int) -> Callable[[Tensor, Tensor, Protocol], float]:
    """`Metric.measure` of such a score; NaN below `smallest` pixels a side, and where an output is not finite."""

    def score(output: Tensor, truth: Tensor, protocol: Protocol) -> float:
        if not output.isfinite().all():
            return torch.nan
        shown = (from_pillow(to_pillow(image)) for image in (output, truth))
        if protocol.quantisation in ("round", "truncate"):  # which a file has done, to the nearest level
            protocol = replace(protocol, quantisation="none")
        ours, theirs = (image[None] for image in protocol.compared(*shown))
        if min(ours.shape[-2:]) < smallest:
            return torch.nan
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # piq's: MDSI copies grey to three channels, a network is loaded the old way
            return float(measure(ours, theirs))

    return score


def _of_piq(name: str, ours: Tensor, theirs: Tensor) -> Tensor:
    import piq  # see `scoring`

    return cast(Tensor, getattr(piq, name)(ours, theirs))


def _haarpsi(ours: Tensor, theirs: Tensor) -> Tensor:
    """Which at equal images is an infinity or a little above 1, by its logarithm of a rounded quotient."""
    return torch.ones(()) if torch.equal(ours, theirs) else _of_piq("haarpsi", ours, theirs).clamp(max=1)


def _psnr(ours: Tensor, theirs: Tensor) -> Tensor:
    """In dB; NaN where what was measured is shown in another size."""
    if ours.shape != theirs.shape:
        return torch.tensor(torch.nan)
    return -10 * torch.log10((ours - theirs).square().mean())


def _blur(ours: Tensor, theirs: Tensor) -> Tensor:
    """In [0, 1]; the higher, the more blurred."""
    seen = ours[0].permute(1, 2, 0).numpy()
    return torch.tensor(blur_effect(seen, channel_axis=-1))  # type: ignore[no-untyped-call]


def _metric(
    name: str, title: str, measure: Measure, smallest: int, paper: str, *, higher: bool, learned: str = ""
) -> Metric:
    """`learned` is the network whose weights it takes, if it does."""
    lacks = partial(missing_weights, learned) if learned else str
    return Metric(name, title, "", higher, 4, _of_pictures(measure, smallest), smallest, paper, lacks)


_FURTHER = (
    # From 0 to 1, at equal images, but VIF is above 1 where contrast was added. VIF is that of the pixel domain.
    _metric(
        "ms_ssim", "MS-SSIM", partial(_of_piq, "multi_scale_ssim"), 161, "doi:10.1109/ACSSC.2003.1292216", higher=True
    ),
    _metric("vif", "VIF", partial(_of_piq, "vif_p"), 41, "doi:10.1109/TIP.2005.859378", higher=True),
    _metric("haarpsi", "HaarPSI", _haarpsi, 16, "arXiv:1607.06140", higher=True),
    # From 0, at equal images, up.
    _metric("gmsd", "GMSD", partial(_of_piq, "gmsd"), 16, "arXiv:1308.3052", higher=False),
    _metric("mdsi", "MDSI", partial(_of_piq, "mdsi"), 16, "arXiv:1608.07433", higher=False),
    _metric("lpips", "LPIPS (VGG)", partial(distance, "LPIPS"), 16, "arXiv:1801.03924", higher=False, learned="LPIPS"),
    _metric("dists", "DISTS", partial(distance, "DISTS"), 16, "arXiv:2004.07728", higher=False, learned="DISTS"),
    Metric("psnr_measurement", "data-fit PSNR", "dB", True, 2, _of_pictures(_psnr, 1), against="measurement"),
    Metric("blur", "Blur", "", False, 4, _of_pictures(_blur, 16), 16, "doi:10.1117/12.702790", against="nothing"),
)

FURTHER = {metric.name: metric for metric in _FURTHER}
"""By name, those that are computed where they are asked for."""


def known() -> dict[str, Metric]:
    """Every metric by its name, those that always are computed first, then those of some tasks."""
    return {**METRICS, **OF_TASKS, **FURTHER}


def asked_for(names: Iterable[str]) -> tuple[str, ...]:
    """Each of the names of `FURTHER` once. UserError for one that there is not, or that this machine cannot compute."""
    wanted = dict.fromkeys(names)
    for name in wanted:
        if name not in known():
            raise unknown("metric", name, known())
        if missing := known()[name].lacks():
            raise UserError(missing)
    return tuple(name for name in wanted if name in FURTHER)


def scores(
    output: Tensor,
    truth: Tensor | None,
    protocol: Protocol,
    further: Iterable[str] = (),
    measurement: Tensor | None = None,
) -> dict[str, float]:
    """The scores of an output (C, H, W), as its method made it, by the metrics that always do and `further`.

    Of those that compare with something only where that is given.
    """
    metrics = [*METRICS.values(), *(FURTHER[name] for name in further)]
    others = {"truth": truth, "measurement": measurement, "nothing": output}
    given = {metric: other for metric in metrics if (other := others[metric.against]) is not None}
    return {metric.name: metric.measure(output, other, protocol) for metric, other in given.items()}
