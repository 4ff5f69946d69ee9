"""deepinv's models as methods, and its BM3D beside that of the authors."""

import pytest
import torch
from torch import Tensor

from dipbench import registry
from dipbench.contract import Method, Problem, Scene
from dipbench.errors import UserError
from dipbench.streams import Streams

deepinv = pytest.importorskip("deepinv", reason="the extra dipbench[deepinv] is not installed")


def posed(photo: Tensor, task: str = "denoising") -> Problem:
    return registry.build("task", task).degrade(Scene(photo), Streams(0))


def restored(method: str, problem: Problem) -> Tensor:
    built: Method = registry.build("method", method)
    assert built.refuses(problem) is None
    (estimate,) = built.run(problem, Streams(0))
    assert estimate.shape == problem.shape
    return estimate


def psnr(estimate: Tensor, truth: Tensor) -> float:
    return -10 * float(torch.log10((estimate.clamp(0, 1) - truth).square().mean()))


@pytest.mark.slow
@pytest.mark.parametrize("grey", [False, True], ids=["colour", "grey"])
def test_free_bm3d_is_as_good_as_that_of_the_authors(photo: Tensor, grey: bool) -> None:
    pytest.importorskip("ptwt")
    image = photo[:1] if grey else photo
    problem = posed(image)
    free, authors = (psnr(restored(name, problem), image) for name in ("bm3d_free", "bm3d"))
    assert free == pytest.approx(authors, abs=0.2)
    assert free > psnr(problem.measurement, image) + 4


def test_a_denoiser_is_given_the_image_and_the_noise_level(photo: Tensor) -> None:
    problem = posed(photo)
    expected = deepinv.models.MedianFilter()(problem.measurement[None], problem.sigma)[0]
    assert torch.equal(restored("deepinv", problem), expected)


def test_a_reconstructor_is_given_the_operator_with_its_adjoint(photo: Tensor) -> None:
    from dipbench.methods.deepinv import physics_of

    for task in ("inpainting", "super_resolution[factor=4]"):
        problem = posed(photo, task)
        physics = physics_of(problem)
        assert torch.equal(physics.A(photo[None])[0], problem.operator(photo))
        assert float(physics.adjointness_test(photo[None])) == pytest.approx(0, abs=1e-3)


def test_what_no_name_alone_makes_and_what_there_is_not_are_refused_in_words(photo: Tensor) -> None:
    problem = posed(photo)
    with pytest.raises(UserError, match="DeepImagePrior cannot be made by its name alone"):
        list(registry.build("method", "deepinv[model=DeepImagePrior]").run(problem, Streams(0)))
    with pytest.raises(UserError, match="unknown model of deepinv 'BM3'"):
        registry.build("method", "deepinv[model=BM3]").refuses(problem)
    with pytest.raises(UserError, match=r"no weights: .*nowhere\.pt'; to give their file: deepinv\[model=DRUNet"):
        list(registry.build("method", "deepinv[model=DRUNet,pretrained=/nowhere.pt]").run(problem, Streams(0)))
    reason = registry.build("method", "deepinv").refuses(posed(photo, "inpainting"))
    assert reason == "MedianFilter denoises images measured as they are"
