"""The paper's networks against figures computed with the official code (tests/golden/README.md says how)."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from dipbench.errors import UserError
from dipbench.nets import official, official_names, official_networks

GOLDEN = Path(__file__).parents[1] / "golden"
NETS: dict[str, Any] = json.loads((GOLDEN / "nets.json").read_text())
MORE = [(name, figures) for name, row in json.loads((GOLDEN / "more_nets.json").read_text()).items() for figures in row]
QUICK = {"denoising_snail", "inpainting_library_unet"}  # seconds for 20 steps in float64; the others take a minute

COUNTS = {  # the last column of the table of official settings; unet_get_net: counted in the official code
    "denoising": 2_217_831,
    "denoising_snail": 572_827,
    "super_resolution": 2_217_831,
    "sr_prior_effect": 2_184_307,
    "inpainting_text": 3_002_627,
    "inpainting_vase": 2_157_955,
    "inpainting_library_skip6": 2_996_467,
    "inpainting_library_skip4": 1_060_339,
    "inpainting_library_skip2": 59_635,
    "inpainting_library_unet": 1_616_315,
    "inpainting_library_resnet": 158_979,
    "restoration_gray": 2_217_573,
    "restoration_kate": 1_027_379,
    "flash_no_flash": 2_184_307,
    "feature_inversion": 2_606_763,
    "feature_inversion_zero_padding": 2_606_763,
    "feature_inversion_heavy_noise": 2_583_123,
    "activation_maximization": 2_948_567,
    "unet_get_net": 2_164_899,
}


def scale_indices(net: nn.Module) -> list[int]:
    """Which parameters are the scales of normalisation layers."""
    scales = {id(module.weight) for module in net.modules() if isinstance(module, nn.BatchNorm2d)}
    return [i for i, parameter in enumerate(net.parameters()) if id(parameter) in scales]


def golden_network(name: str) -> nn.Module:
    """The network in float64, filled by the rule of the golden vectors."""
    net = official(name).double()
    scales = scale_indices(net)
    for i, parameter in enumerate(net.parameters()):
        values = np.random.default_rng(1000 + i).standard_normal(tuple(parameter.shape))
        values = values / np.sqrt(np.prod(parameter.shape[1:])) if parameter.ndim == 4 else 0.1 * values
        parameter.data = torch.from_numpy(values + (i in scales))
    return net


def golden_input(name: str, size: list[int]) -> Tensor:
    shape = (1, official_networks()[name].inputs, *size)
    return torch.from_numpy(np.random.default_rng(7).uniform(0, 0.1, shape))


def golden_target(shape: tuple[int, ...]) -> Tensor:
    return torch.from_numpy(np.random.default_rng(8).uniform(0, 1, shape))


def adam_losses(net: nn.Module, z: Tensor, target: Tensor, steps: int) -> list[float]:
    """The loss before each step of Adam."""
    adam = torch.optim.Adam(net.parameters(), lr=0.01)
    losses = []
    for _ in range(steps):
        adam.zero_grad()
        loss = (net(z) - target).square().mean()
        loss.backward()
        adam.step()
        losses.append(float(loss.detach()))
    return losses


@pytest.mark.parametrize("name", sorted(NETS))
def test_parameters_have_the_official_shapes_in_the_official_order(name: str) -> None:
    net = official(name)
    assert [list(parameter.shape) for parameter in net.parameters()] == NETS[name]["shapes"]
    assert scale_indices(net) == NETS[name]["norm_scale_indices"]
    row = official_networks()[name]
    assert (row.inputs, row.outputs) == (NETS[name]["input_channels"], NETS[name]["output_channels"])


@pytest.mark.parametrize("name", official_names())
def test_number_of_parameters_is_exact(name: str) -> None:
    assert sum(parameter.numel() for parameter in official(name).parameters()) == COUNTS[name]
    assert official_networks()[name].parameters == COUNTS[name]


@pytest.mark.parametrize("name", sorted(NETS))
def test_output_loss_and_gradients_are_the_official_ones(name: str) -> None:
    golden = np.load(GOLDEN / f"net_{name}.npz")
    net = golden_network(name)
    output = net(golden_input(name, NETS[name]["input_size"]))
    np.testing.assert_allclose(output.detach().numpy(), golden["output"], rtol=0, atol=1e-5)
    loss = (output - golden_target(tuple(output.shape))).square().mean()
    assert float(loss.detach()) == pytest.approx(float(golden["loss"]), rel=1e-9)
    loss.backward()
    norms = [float(parameter.grad.norm()) for parameter in net.parameters() if parameter.grad is not None]
    # a bias before a normalisation has a true gradient of zero, of which only rounding is left
    np.testing.assert_allclose(norms, golden["grad_norm"], rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in sorted(NETS)],
)
def test_20_steps_of_adam_are_the_official_ones(name: str) -> None:
    golden = np.load(GOLDEN / f"net_{name}.npz")
    z, target = golden_input(name, NETS[name]["input_size"]), golden_target(golden["output"].shape)
    losses, expected = adam_losses(golden_network(name), z, target, 20), golden["adam_loss"]
    np.testing.assert_allclose(losses[:5], expected[:5], rtol=1e-6)
    if np.allclose(losses, expected, rtol=1e-6, atol=0):
        return
    # Another processor sums in another order, and Adam amplifies that: then as near as a last bit of the weights is.
    net = golden_network(name)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.mul_(1 + 4e-16)
    moved = np.maximum.accumulate(np.abs(np.array(adam_losses(net, z, target, 20)) - losses))
    assert np.all(np.abs(losses - expected) <= 1e-6 * expected + 3 * moved), (losses, expected, moved)


@pytest.mark.parametrize(("name", "golden"), MORE, ids=[f"{name}-{row['input_size']}" for name, row in MORE])
def test_networks_without_golden_vectors_and_odd_sizes_are_the_official_ones(name: str, golden: dict[str, Any]) -> None:
    net, z = golden_network(name), golden_input(name, golden["input_size"])
    output = net(z)
    assert list(output.shape) == golden["output_shape"]
    assert float(output.detach().mean()) == pytest.approx(golden["output_mean"], rel=1e-9)
    assert float(output.detach().std()) == pytest.approx(golden["output_std"], rel=1e-9)
    target = golden_target(tuple(output.shape))
    (output - target).square().mean().backward()
    gradient = torch.cat([parameter.grad.flatten() for parameter in net.parameters() if parameter.grad is not None])
    assert float(gradient.norm()) == pytest.approx(golden["grad_norm"], rel=1e-6)
    losses = adam_losses(net, z, target, len(golden["adam_loss"]))
    np.testing.assert_allclose(losses, golden["adam_loss"], rtol=1e-6)


def test_every_network_has_figures_of_the_official_code() -> None:
    assert {*NETS, *(name for name, _ in MORE), "super_resolution"} == set(official_names())
    assert official_networks()["super_resolution"].options == official_networks()["denoising"].options


@pytest.mark.parametrize("name", official_names())
def test_network_is_freshly_initialised_under_the_seed_of_torch(name: str) -> None:
    first, second, third = [], [], []
    for seed, into in ((0, first), (0, second), (1, third)):
        torch.manual_seed(seed)
        into.append(next(official(name).parameters()).detach())
    assert torch.equal(first[0], second[0])
    assert not torch.equal(first[0], third[0])


def test_unknown_network_gets_the_nearest() -> None:
    with pytest.raises(UserError, match="unknown official network 'inpainting_vaze': did you mean 'inpainting_vase'"):
        official("inpainting_vaze")
