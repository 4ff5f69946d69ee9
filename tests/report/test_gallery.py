"""The pictures: which output is shown, and that every detail is the same place."""

from pathlib import Path

import numpy as np
import pytest
from forge import IMAGES, Forge, picture
from PIL import Image

from dipbench.images.files import to_pillow
from dipbench.report.album import Album
from dipbench.report.chapters import chapters_of
from dipbench.report.gallery import Strip, busiest, strips_of
from dipbench.store.store import Store


@pytest.fixture
def strip(store: Store, tmp_path: Path) -> Strip:
    return strips_of(store, chapters_of(store.holdings())[0], Album(tmp_path))[0]


def test_detail_is_where_the_truth_is_busiest() -> None:
    grey = np.asarray(to_pillow(picture(0)).convert("L"), dtype=np.float64)
    left, top, right, bottom = busiest(grey)
    assert (right - left, bottom - top) == (12, 12)
    assert top + 6 <= 16
    assert left + 6 >= 44


def test_strip_shows_truth_measurement_and_ema(strip: Strip) -> None:
    titles = [tile.title for tile in strip.tiles]
    assert titles == ["truth", "degraded", "dip, EMA", "bm3d", "luma", "trained", "choosy"]
    assert strip.image == IMAGES[0]


def test_method_that_returns_the_measurement_stands_in_its_place(strip: Strip) -> None:
    assert strip.tiles[1].psnr == 20.0


def test_number_of_another_protocol_says_so(strip: Strip) -> None:
    assert [tile.title for tile in strip.tiles if tile.protocol] == ["luma"]


def test_a_detail_is_cut_out_of_its_picture(strip: Strip, tmp_path: Path) -> None:
    for tile in strip.tiles:
        with Image.open(tmp_path / tile.picture.path) as whole, Image.open(tmp_path / tile.zoom) as zoom:
            assert (np.asarray(whole.crop(strip.box)) == np.asarray(zoom)).all()


def test_image_whose_pictures_are_gone_is_left_out(forge: Forge, tmp_path: Path) -> None:
    forge.experiment("e", "denoising")
    run = forge.done("x", "a", 0, {"final": 30.0})
    forge.plan()
    folder = forge.store.path / "problems" / run.measurement_key
    folder.rename(folder.with_name("gone"))
    assert strips_of(forge.store, chapters_of(forge.store.holdings())[0], Album(tmp_path)) == []
