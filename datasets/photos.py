"""Photographs that come with scikit-image, read from its installed `skimage/data` folder: nothing is fetched.

Differs: each file is checked against the sha256 below, so that a later version with other pixels cannot pass for these.
"""

import hashlib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from torch import Tensor

from dipbench.contract import Dataset
from dipbench.errors import UserError
from dipbench.images.files import read_image


@dataclass(frozen=True)
class Photograph:
    """Where an image comes from, and how to know it."""

    file: str
    sha256: str
    source: str
    licence: str


PHOTOGRAPHS = {
    "astronaut": Photograph(
        "astronaut.png",
        "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
        "Eileen Collins, NASA Great Images, https://flic.kr/p/r9qvLn",
        "public domain",
    ),
    "camera": Photograph(
        "camera.png",
        "b0793d2adda0fa6ae899c03989482bff9a42d3d5690fc7e3648f2795d730c23a",
        "Lav Varshney; not the Cameraman of the literature",
        "CC0",
    ),
    "chelsea": Photograph(
        "chelsea.png",
        "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb",
        "Stefan van der Walt",
        "CC0",
    ),
    "coffee": Photograph(
        "coffee.png",
        "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
        "Rachel Michetti, by courtesy of Pikolo Espresso Bar",
        "CC0",
    ),
    "motorcycle": Photograph(
        "motorcycle_left.png",
        "db18e9c4157617403c3537a6ba355dfeafe9a7eabb6b9b94cb33f6525dd49179",
        "Middlebury stereo benchmark 2014, reduced by 4, doi:10.1007/978-3-319-11752-2_3",
        "none stated; cite the benchmark",
    ),
    "rocket": Photograph(
        "rocket.jpg",
        "c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c",
        "SpaceX, launch of DSCOVR, https://www.flickr.com/photos/spacexphotos/16511594820",
        "public domain",
    ),
}
"""Name -> photograph, as scikit-image 0.24 to 0.26 has them; all are colour but `camera`."""


@dataclass(frozen=True)
class Photographs(Dataset):
    """Six photographs of 300 to 741 pixels, at hand wherever dipbench is installed."""

    def names(self) -> list[str]:
        return list(PHOTOGRAPHS)

    def read(self, name: str) -> Tensor:
        photograph = PHOTOGRAPHS[name]
        path = _folder() / photograph.file
        if not path.is_file():
            raise UserError(f"photograph '{path}' is missing: install scikit-image again")
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        if found != photograph.sha256:
            raise UserError(
                f"photograph '{path}' is not the one that results are compared on: its sha256 is {found}, expected "
                f"{photograph.sha256}; install scikit-image again, in a version from 0.24 to 0.26"
            )
        return read_image(path)


def _folder() -> Path:
    """The folder of data inside the installed scikit-image."""
    spec = find_spec("skimage")
    if spec is None or spec.origin is None:
        raise UserError("the photographs come with scikit-image, which is not installed: pip install scikit-image")
    return Path(spec.origin).parent / "data"
