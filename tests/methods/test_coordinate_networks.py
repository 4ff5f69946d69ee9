"""Networks of coordinates and waves: siren, wire and pip."""

from math import sqrt

import numpy as np
import pytest
import torch
from making import built, outputs, posed, prior, tiny
from torch import Tensor, nn

from dipbench import registry
from dipbench.contract import Problem
from dipbench.fit import Fit
from dipbench.fit.tricks import RateDecay
from dipbench.nets.inputs import coordinates_input, meshgrid_input
from dipbench.optimisers import Adam
from dipbench.streams import Streams

# siren and wire


def test_siren_starts_within_its_bounds_and_fills_them(photo: Tensor) -> None:
    net, z = built(prior("siren"), posed("denoising", photo))
    convolutions = [layer for layer in net if isinstance(layer, nn.Conv2d)]
    bounds = [0.5, *[sqrt(6 / 256) / 30] * 4]
    assert len(convolutions) == len(bounds)
    for layer, bound in zip(convolutions, bounds, strict=True):
        assert 0.98 * bound < float(layer.weight.detach().abs().max()) <= bound
        assert float(layer.weight.detach().std()) == pytest.approx(bound / sqrt(3), rel=0.06)
    assert (float(z.min()), float(z.max())) == (-1, 1)


def test_siren_is_a_perceptron_of_sines(problem: Problem) -> None:
    net, z = built(prior("siren[width=8,hidden=1]"), problem)
    layers = [layer for layer in net if isinstance(layer, nn.Conv2d)]
    weights = [(layer.weight.detach().flatten(1).numpy(), layer.bias.detach().numpy()) for layer in layers]
    x = np.array([-1 + 2 * 5 / 31, -1 + 2 * 9 / 31])  # of column 5 and row 9
    for matrix, bias in weights[:-1]:
        x = np.sin(30 * (matrix @ x + bias))
    matrix, bias = weights[-1]
    np.testing.assert_allclose(net(z)[0, :, 9, 5].detach().numpy(), (matrix @ x + bias + 1) / 2, atol=1e-4)


def test_wire_in_real_numbers_is_the_network_in_complex_ones(problem: Problem) -> None:
    """exp(i w u - |s u|^2) of complex linear maps, and the real part of the last."""
    net, z = built(prior("wire[width=8,hidden=2,frequency=3,scale=2]"), problem)
    first, _, *hidden, last = net
    u = z[0].flatten(1).T.double()
    x = (u @ first.weight.detach().flatten(1).double().T + first.bias.detach()).to(torch.complex128)
    x = torch.exp(3j * x - (2 * x).abs().square())
    for layer in hidden:
        weight = torch.complex(layer.real.detach().double(), layer.imaginary.detach().double())[..., 0, 0]
        bias = torch.complex(*layer.bias.detach().double().chunk(2))
        x = x @ weight.T + bias
        x = torch.exp(3j * x - (2 * x).abs().square())
    real, imaginary = last.weight.detach().double()[..., 0, 0].chunk(2, dim=1)
    made = (x @ torch.complex(real, -imaginary).T).real + last.bias.detach()
    torch.testing.assert_close(net(z)[0].flatten(1).T.detach().double(), made, atol=1e-5, rtol=1e-4)


def test_wire_starts_as_a_complex_layer_of_torch_does(photo: Tensor) -> None:
    net, _ = built(prior("wire"), posed("denoising", photo))
    _, _, layer, _, last = net
    torch.manual_seed(0)
    torchs = nn.Linear(181, 181, dtype=torch.cfloat)
    for ours, theirs in ((layer.real, torchs.weight.real), (layer.imaginary, torchs.weight.imag)):
        assert ours.shape[:2] == theirs.shape
        for number in (lambda t: t.std(), lambda t: t.abs().max()):
            assert float(number(ours.detach())) == pytest.approx(float(number(theirs.detach())), rel=0.02)
    assert float(last.weight.detach().abs().max()) == pytest.approx(1 / sqrt(181), rel=0.02)


def test_wire_goes_slower_and_longer_for_more_pixels_than_its_batch_and_no_faster_for_fewer() -> None:
    """As there: of 512x512 pixels each of 2000 epochs has four steps, at a fourth of the rate."""
    task = registry.build("task", "denoising")
    settings = [prior("wire").fit_settings(task.pose(torch.zeros(3, n, n))) for n in (128, 256, 257, 512)]
    assert [each.iterations for each in settings] == [2000, 2000, 4000, 8000]
    assert [each.optimiser for each in settings] == [*2 * [Adam(5e-3)], Adam(5e-3 * 256**2 / 257**2), Adam(5e-3 / 4)]
    assert settings[3].tricks == (RateDecay(0.1 ** (1 / 8000), every=1),)
    short = prior("wire[iterations=50]").fit_settings(task.pose(torch.zeros(3, 512, 512)))
    assert (short.iterations, short.tricks) == (50, (RateDecay(0.1 ** (1 / 50), every=1),))


# pip


def test_in_bfloat16_neighbouring_columns_are_the_same_beyond_the_sides_that_the_methods_name() -> None:
    """As the module docstrings of dip, of deep_random_projector, and of siren and wire say."""
    from_zero = {side: meshgrid_input((2, side))[0, 0, 0] for side in (256, 440, 512, 768)}
    assert {side: x.bfloat16().unique().numel() for side, x in from_zero.items()} == {
        256: 256, 440: 349, 512: 385, 768: 449
    }  # fmt: skip
    normed = {side: nn.BatchNorm1d(1)(x[:, None]).detach().bfloat16().unique() for side, x in from_zero.items()}
    assert {side: values.numel() for side, values in normed.items()} == {256: 256, 440: 440, 512: 482, 768: 630}
    assert coordinates_input((2, 512))[0, 0, 0].bfloat16().unique().numel() > 500


def test_pip_is_fed_waves_of_1_to_256_radians(photo: Tensor) -> None:
    """cos and sin of f x and of f y, x and y from 0 to 1, by NumPy."""
    _, z = built(prior("pip"), posed("denoising", photo))
    rates = 2 ** (8 / 7 * np.arange(8))
    assert (rates[0], rates[-1]) == (1, pytest.approx(256))
    y, x = np.meshgrid(np.arange(64) / 63, np.arange(64) / 63, indexing="ij")
    expected = [wave(f * axis) for axis in (x, y) for wave in (np.cos, np.sin) for f in rates]
    np.testing.assert_allclose(z[0].numpy(), np.stack(expected), atol=5e-5)


def test_pip_has_kernels_of_one_pixel(problem: Problem) -> None:
    net, _ = built(tiny("pip"), problem)
    assert {layer.kernel_size for layer in net.modules() if isinstance(layer, nn.Conv2d)} == {(1, 1)}


def test_pip_that_learns_begins_as_the_fixed_one_and_moves_its_frequencies(problem: Problem) -> None:
    fixed, learning = (Fit(tiny("pip", learned=learned), problem, Streams(0)) for learned in (False, True))
    torch.testing.assert_close(fixed.output().estimate, learning.output().estimate, atol=1e-5, rtol=0)
    before = learning.network.network.z.detach().clone()
    learning.step()
    moved = (learning.network.network.z.detach() - before).abs()
    torch.testing.assert_close(moved, torch.full_like(moved, 0.01), rtol=1e-2, atol=0)  # Adam's first step


def test_jitter_of_pip_is_on_the_frequencies_where_they_are_learned(problem: Problem) -> None:
    _, z = built(tiny("pip", learned=True), problem)
    assert z.shape == (1, 3, 1, 1)
    still, moving = (tiny("pip", learned=True, jitter=jitter) for jitter in (0.0, 0.03))
    first = [outputs(method, problem)[0] for method in (still, moving)]
    assert not torch.allclose(*first, atol=1e-4)
