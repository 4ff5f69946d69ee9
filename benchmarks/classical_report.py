"""Renders what classical_rows.py measured as Markdown."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
from pandas.api.types import is_numeric_dtype

OUTLINE = 3  # pixels left out on each side, where the outline of an image decides its PSNR

HEAD = """# The classical rows, checked

`python benchmarks/classical_rows.py` made these numbers, from the images of the data sets and from the files that the
authors of Deep Image Prior released with their project page (data set `released`). Every number is in
[results/reference/classical](../../results/reference/classical).
"""


def render(folder: Path) -> str:
    """The report on the CSV files that are in the folder."""
    parts = [
        SECTIONS[name](pd.read_csv(folder / f"{name}.csv")) for name in SECTIONS if (folder / f"{name}.csv").is_file()
    ]
    return "\n".join([HEAD, *parts])


def table(frame: pd.DataFrame, digits: int = 2) -> str:
    """A Markdown table; real numbers with that many digits."""
    real = frame.select_dtypes("float").columns
    texts = frame.assign(**{column: frame[column].map(lambda value: f"{value:.{digits}f}") for column in real})
    heads = [str(column) for column in frame.columns]
    lines = [heads, ["---:" if is_numeric_dtype(frame[column]) else ":---" for column in frame.columns]]
    lines += [[str(value) for value in row] for row in texts.itertuples(index=False)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def bicubic(frame: pd.DataFrame) -> str:
    """The section on bicubic enlargement."""
    equal = int((frame["differing"] == 0).sum())
    means = frame.groupby("dataset", sort=False)["psnr"].mean().round(2).to_dict()
    return f"""## Bicubic enlargement, x4

{equal} of {len(frame)} released files are reproduced to the last bit: the ground truth cut to multiples of four,
MATLAB's antialiased cubic down in floating point, neither rounded nor clipped, the cubic up, then one rounding. Mean
PSNR: {", ".join(f"{name} {value:.2f}" for name, value in means.items())} (the paper prints 28.43 and 26.05, truncated).

{table(frame)}
"""


def low_resolution(frame: pd.DataFrame) -> str:
    """The section on the low-resolution images."""
    equal = int((frame["differing"] == 0).sum())
    return f"""## Low-resolution images, x4

`super_resolution[downsampler=matlab]` makes {equal} of the {len(frame)} low-resolution files of SelfExSR to the last
bit: rows first, rounded to 8 bit, then columns, rounded again.

{table(frame)}
"""


def filling(frame: pd.DataFrame) -> str:
    """The section on filling in missing pixels."""
    shown = frame.assign(difference=frame["nearest"] - frame["voronoi"])
    shown["inner difference"] = frame["nearest_inner"] - frame["voronoi_inner"]
    within = int((shown["difference"].abs() <= 0.4).sum())
    columns = ["image", "nearest", "voronoi", "difference", "inner difference", "equal", "linear", "papyan"]
    means = shown[columns[1:]].mean()
    last = pd.DataFrame([["average", *means]], columns=columns)
    return f"""## Filling in half of the pixels, with the authors' masks

`nearest_neighbor` is within 0.4 dB of the released `voronoi` file on {within} of {len(frame)} images; `equal` is the
share of pixels that are the same. Where they differ a pixel has several nearest known ones, and which of them is copied
is anybody's choice. On peppers256 that choice is worth 1.8 dB: the image has a black outline, and ours copies it
inwards where theirs does not. `inner difference` leaves out {OUTLINE} pixels on each side.

`linear_scattered`, a plane over each Delaunay triangle of known pixels, is far stronger than the nearest pixel and is
the baseline to beat here; `papyan` is the released output of Papyan et al., scored again. PSNR in dB.

The masks are read off the released masked images. A black pixel of the truth counts as known: whether it was cannot be
seen (511 pixels of peppers256, 249 of montage, 247 of couple, 7 of boat, 1 of fingerprint).

{table(pd.concat([shown[columns], last]))}
"""


def noise(frame: pd.DataFrame) -> str:
    """The section on the noisy images."""
    farthest = (frame["seed_0"] - frame["expected"]).abs().max()
    last = pd.DataFrame([["average", *frame.drop(columns="image").mean()]], columns=frame.columns)
    return f"""## Noise of sigma 25

The PSNR in dB of the noisy images of `denoising[sigma=25]` for three seeds; `expected` is what clipped Gaussian noise
has on average, computed in closed form for each image (seed 0 is at most {farthest:.3f} dB from it); `released` is the
8-bit noisy file that the authors gave to CBM3D.

{table(pd.concat([frame, last]))}
"""


def cbm3d(frame: pd.DataFrame) -> str:
    """The section on CBM3D."""
    shown = frame.assign(difference=frame["ours"] - frame["released"])
    columns = ["image", "ours", "released", "difference", "seconds"]
    last = pd.DataFrame([["average", *shown[columns[1:]].mean()]], columns=columns)
    return f"""## CBM3D

Our `bm3d` on the authors' noisy files against the CBM3D outputs that they released: at most
{shown["difference"].abs().max():.2f} dB apart on an image. PSNR in dB, sigma given as 25; the seconds are those of one
core that was shared.

The two are not the same program. The authors' code of November 2017 (commit 961ed4a, utils/denoising_utils.py) calls
`./bm3d/BM3Ddenoising` with `1 bior 0 dct 1 opp`, an implementation of Dabov et al. (2007) with the arguments of the one
in Image Processing On Line (Lebrun 2012); the package `bm3d` 4 is that of Mäkinen, Azzari and Foi (IEEE Transactions on
Image Processing 29, 2020, pages 8339 to 8354), which computes the variance of the noise in the transform domain
exactly, for the shrinkage and for the matching of blocks. How much of the difference is due to that was not measured:
the older program is not at hand.

The non-local means of that file is OpenCV's, with h = 10 and windows of 7 and 21 pixels. On the authors' noisy House it
has 27.19 dB, where their released picture has 31.49 (our `nlm`, on our noise, 31.36): that one was made otherwise.

{table(pd.concat([shown[columns], last]))}
"""


def tuning(frame: pd.DataFrame) -> str:
    """The section on the settings of the denoisers."""
    worst = frame.sort_values("loses", ascending=False).iloc[0]
    return f"""## The settings of the denoisers

The mean PSNR of each denoiser as it is by default, over the central 160x160 pixels of six photographs that are in no
table, beside the best of a small grid (`benchmarks/classical_tuning.py`), at five noise levels, clipped to [0, 1] and
not, one seed. The default loses at most {worst["loses"]:.2f} dB: {worst["method"]} at sigma {worst["sigma"]},
{"clipped" if worst["clipped"] else "not clipped"}. Before, one strength served every level and the noise was taken to
be what it was before it was clipped; on the same photographs that lost 1.19 dB (tv, sigma 75, not clipped), 1.66 dB
(wavelet, the same) and 0.59 dB (nlm, sigma 50, clipped) to a grid of the same kind.

{table(frame)}
"""


def deblurring(frame: pd.DataFrame) -> str:
    """The section on the settings of the deblurring methods."""
    worst = frame.sort_values("loses", ascending=False).iloc[0]
    return f"""## The settings of the deblurring methods

The same for known blurs (`benchmarks/deblurring_tuning.py`), whose settings follow from the noise level alone, so that
one serves every kernel. The default loses at most {worst["loses"]:.2f} dB: {worst["method"]}, kernel {worst["kernel"]},
sigma {worst["sigma"]}.

{table(frame)}
"""


SECTIONS: dict[str, Callable[[pd.DataFrame], str]] = {
    "bicubic": bicubic,
    "low_resolution": low_resolution,
    "filling": filling,
    "noise": noise,
    "cbm3d": cbm3d,
    "tuning": tuning,
    "deblurring": deblurring,
}
"""The sections of the report, by the name of the CSV that each shows."""
