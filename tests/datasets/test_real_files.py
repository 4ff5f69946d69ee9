"""The real files of the data sets, where a folder shared/datasets lies beside the checkout; nothing is downloaded."""

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

from dipbench import registry
from dipbench.contract import Scene, Task
from dipbench.data.collection import Collection
from dipbench.data.loading import load
from dipbench.images.files import centre_crop, pixel_hash
from dipbench.running.trial import attempt
from dipbench.streams import Streams

FILES = Path(__file__).parents[3] / "shared" / "datasets"
COLLECTIONS = [name for name in registry.names("dataset") if isinstance(registry.build("dataset", name), Collection)]

pytestmark = pytest.mark.skipif(
    not FILES.is_dir(), reason="no folder shared/datasets beside the checkout: the real files were not verified"
)


@pytest.fixture(autouse=True)
def _files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DIPBENCH_DATA", str(FILES))
    monkeypatch.setenv("DIPBENCH_CACHE", str(tmp_path))


def image(name: str) -> Tensor:
    """The image of `data set/name`."""
    dataset, _, inner = name.partition("/")
    return load(registry.build("dataset", dataset), inner).image


@pytest.mark.parametrize("name", COLLECTIONS)
def test_every_file_is_what_the_table_says(name: str) -> None:
    built: Collection = registry.build("dataset", name)
    assert built.problems() == []
    for entry in built.entries():
        copy = entry.copy()
        assert copy is not None
        assert copy.path.stat().st_size == entry.bytes
        if not entry.mask_of:
            read = built.measured(entry.name) if entry.measured else built.read(entry.name)
            assert read.shape == (min(entry.channels, 3), entry.height, entry.width)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        *((f"cbm3d9/kodim{number}", f"kodak24/kodim{number}") for number in ("01", "02", "03", "12")),
        ("set14/pepper", "cbm3d9/Peppers512"),
        ("dip_photos/f16", "cbm3d9/F16_512"),
        ("dip_photos/barbara", "inpaint11/barbara"),
        ("set12/02", "inpaint11/house"),
        ("set12/03", "inpaint11/peppers256"),
        ("set12/08", "inpaint11/Lena512"),
        ("set12/09", "inpaint11/barbara"),
        ("set12/10", "inpaint11/boat"),
        ("set12/11", "inpaint11/man"),
        ("set12/12", "inpaint11/couple"),
    ],
)
def test_two_names_of_one_image_have_the_same_pixels(one: str, other: str) -> None:
    assert torch.equal(image(one), image(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("set14/lenna", "cbm3d9/Lena512"),
        ("set12/01", "inpaint11/Cameraman256"),
        ("dip_photos/kate", "dip_photos/kate_98"),
    ],
)
def test_two_images_of_one_picture_have_other_pixels(one: str, other: str) -> None:
    assert image(one).shape == image(other).shape
    assert not torch.equal(image(one), image(other))


def test_zebra_of_the_paper_is_a_part_of_the_one_of_set14() -> None:
    zebra = image("dip_photos/zebra")
    assert torch.equal(zebra, image("set14/zebra")[:, :388, :584])
    assert torch.equal(image("dip_photos/zebra_crop"), zebra[:, 52 : 52 + 160, 124 : 124 + 256])


def test_set14_has_one_grey_file_and_one_grey_picture() -> None:
    assert [name for name in registry.build("dataset", "set14").names() if image(f"set14/{name}").shape[0] == 1] == [
        "bridge"
    ]
    man = image("set14/man")
    assert torch.equal(man[0], man[1])
    assert torch.equal(man[0], man[2])


def test_set14_of_the_paper_has_bridge_in_three_equal_channels_and_all_others_as_they_are() -> None:
    """The released pictures of bridge were fitted in three channels; luma of equal channels is that of the grey one."""
    of_paper, plain = registry.build("dataset", "set14[grey_as_rgb=true]"), registry.build("dataset", "set14")
    for name in plain.names():
        read, file = load(of_paper, name).image, load(plain, name).image
        assert torch.equal(read, file.expand(3, -1, -1)), name
        assert (pixel_hash(read) == pixel_hash(file)) == (name != "bridge")
    grey, protocol = image("set14/bridge"), registry.build("task", "super_resolution").protocol()
    bicubic = image("released/sr_x4/set14/bicubic/bridge")
    for truth in (grey, grey.expand(3, -1, -1)):
        assert float(protocol.psnr(bicubic, truth)) == pytest.approx(24.4731, abs=2e-3)


def test_bsd68_is_cbsd68_made_grey() -> None:
    weights = torch.tensor([0.29893602, 0.58704307, 0.11402090], dtype=torch.float64)
    grey, colour = registry.build("dataset", "bsd68"), registry.build("dataset", "cbsd68")
    for one, other in zip(grey.names(), colour.names(), strict=True):
        levels = (load(colour, other).image * 255).round().double()
        expected = torch.floor((levels * weights[:, None, None]).sum(dim=0, keepdim=True) + 0.5)
        assert torch.equal((load(grey, one).image * 255).round().double(), expected), (one, other)


def test_the_central_500_pixels_of_kodak_start_at_134_and_6() -> None:
    """Several papers use that crop under the name of the whole set."""
    whole = image("kodak24/kodim01")
    assert torch.equal(centre_crop(whole, 500, 500), whole[:, 6:506, 134:634])


@pytest.mark.parametrize(("name", "share"), [("kate", 0.957), ("library", 0.814), ("vase", 0.973)])
def test_masks_of_the_photographs_leave_the_published_share(name: str, share: float) -> None:
    known = load(registry.build("dataset", "dip_photos"), name, ["known"]).known
    assert known is not None
    assert known.shape[1:] == image(f"dip_photos/{name}").shape[1:]
    assert float(known.float().mean()) == pytest.approx(share, abs=5e-4)


@pytest.mark.parametrize("name", registry.build("dataset", "inpaint11").names())
def test_released_masks_leave_half_of_the_pixels_as_they_are(name: str) -> None:
    truth, masked = image(f"inpaint11/{name}"), image(f"released/inpaint_gray_50p/masked/{name}")
    known = load(registry.build("dataset", "inpaint11"), name, ["known"]).known
    assert known is not None
    assert 0.493 < float(known[truth > 0].float().mean()) < 0.503
    assert torch.equal(masked, truth * known)
    assert known[truth == 0].all()  # a black pixel is taken as known


def test_released_outputs_have_the_size_of_the_truth_and_two_are_cut() -> None:
    """no_prior, tv_prior and deep_prior are black outside the centred part whose sides are multiples of 32."""
    output, truth = image("released/sr_x4/set5/deep_prior/woman"), image("set5/woman")
    assert output.shape == truth.shape
    inner = centre_crop(output, 344 // 32 * 32, 228 // 32 * 32)
    assert float(output.sum(dtype=torch.float64)) == pytest.approx(float(inner.sum(dtype=torch.float64)))
    assert image("released/sr_x4/set5/LR/woman").shape == (3, 344 // 4, 228 // 4)


@pytest.mark.parametrize(
    ("data", "factor", "psnr", "ssim"),
    [  # of bicubic enlargement, as the literature prints it, such as Kim et al. 2016 (arXiv:1511.04587)
        ("set5", 2, 33.66, 0.9299), ("set5", 3, 30.39, 0.8682), ("set5", 4, 28.42, 0.8104),
        ("set14", 2, 30.24, 0.8688), ("set14", 3, 27.55, 0.7742), ("set14", 4, 26.00, None),
    ],
)  # fmt: skip
def test_bicubic_has_the_scores_of_the_super_resolution_literature(
    data: str, factor: int, psnr: float, ssim: float | None
) -> None:
    task, dataset = registry.build("task", f"super_resolution_matlab[factor={factor}]"), registry.build("dataset", data)
    protocol, scores = task.protocol(), []
    for name in dataset.names():
        truth = task.prepare(load(dataset, name)).image
        (made,) = registry.build("method", "bicubic").run(task.degrade(Scene(truth), Streams(0)), Streams(0))
        scores.append((float(protocol.psnr(made, truth)), protocol.ssim(made, truth)))
    means = torch.tensor(scores).mean(dim=0).tolist()
    assert means[0] == pytest.approx(psnr, abs=0.01)
    assert ssim is None or means[1] == pytest.approx(ssim, abs=0.001)


def restored(method: str) -> tuple[Tensor, Tensor, Task]:
    """Butterfly of Set5 at x4 as the method makes it, and its truth."""
    task = registry.build("task", "super_resolution[factor=4]")
    truth = task.prepare(Scene(image("set5/butterfly"))).image
    made = attempt(
        registry.build("method", method), task.degrade(Scene(truth), Streams(0)), truth, task.protocol(), Streams(0)
    )
    return made.outputs[0].image, truth, task


def test_anisotropic_tv_prior_makes_the_released_picture() -> None:
    """Released pictures are cut to 8 bit, not rounded."""
    made, _, task = restored("tv_prior[isotropic=false]")
    released = image("released/sr_x4/set5/tv_prior/butterfly")
    assert float(task.protocol().psnr((made * 255).floor() / 255, released)) > 50


def test_no_prior_with_the_old_adam_scores_as_the_released_picture() -> None:
    """Its start is noise that no seed gives back, so that only the score can agree: 0.2 dB off with today's Adam."""
    made, truth, task = restored("no_prior[adam_epsilon=uncorrected,iterations=500]")
    released = image("released/sr_x4/set5/no_prior/butterfly")
    ours, theirs = (float(task.protocol().psnr(picture, truth)) for picture in (made, released))
    assert ours == pytest.approx(theirs, abs=0.05)


NOISY = {  # PSNR in dB of F16 under the noises of the data set of Self-Validation and ES-WMV, measured on its files
    "sigma=30.6": 18.74,
    "sigma=45.9": 15.70,
    "sigma=66.3": 13.09,
    "noise=impulse[share=0.3]": 10.10,
    "noise=impulse[share=0.5]": 7.89,
    "noise=impulse[share=0.7]": 6.44,
    "noise=poisson[peak=25]": 16.47,
    "noise=poisson[peak=12]": 13.90,
    "noise=poisson[peak=5]": 10.89,
    "noise=speckle[deviation=0.2]": 17.46,
    "noise=speckle[deviation=0.35]": 13.42,
    "noise=speckle[deviation=0.45]": 11.70,
}


@pytest.mark.parametrize("noise", NOISY)
def test_noisy_image_is_as_far_from_the_clean_one_as_published(noise: str) -> None:
    """To 0.05 dB: theirs is rounded down to 8 bits, worth 0.03 dB, and another draw is worth 0.02."""
    clean = image("cbm3d9/F16_512")
    found = registry.build("task", f"denoising[{noise},quantise=true]").degrade(Scene(clean), Streams(0)).measurement
    assert -10 * math.log10(float((found - clean).square().mean())) == pytest.approx(NOISY[noise], abs=0.05)
