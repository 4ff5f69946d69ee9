"""The tricks that came with other priors: a fading jitter, noise on frozen weights, dropout."""

import pytest
import torch
from scripted import PROBLEM
from torch import nn

from dipbench.contract import Fitting
from dipbench.fit.tricks import Backtracking, DecayingJitter, Dropout, FrozenNoise
from dipbench.nets.skip import skip_net


def fitting(net: nn.Module) -> Fitting:
    return Fitting(net, nn.Parameter(torch.zeros(1)), torch.zeros(1, 4, 64, 64), torch.zeros(()), net, PROBLEM)


def test_jitter_is_multiplied_at_the_first_step_and_each_so_many() -> None:
    trick, rng = DecayingJitter(0.1, factor=0.5, every=3), torch.Generator().manual_seed(0)
    fit = fitting(nn.Identity())
    memory, spreads = trick.memory(fit), []
    for _ in range(7):
        fit.input = torch.zeros(1, 4, 64, 64)
        trick.before(fit, memory, rng)
        spreads.append(float(fit.input.std()))
    assert spreads == pytest.approx([0.05] * 3 + [0.025] * 3 + [0.0125], rel=0.03)


def test_frozen_noise_spares_what_is_fitted_and_is_taken_off() -> None:
    net = nn.Sequential(nn.Conv2d(16, 64, 3), nn.BatchNorm2d(64), nn.Conv2d(64, 64, 1))
    net[0].requires_grad_(False)
    start, fit, rng = net[0].weight.clone(), fitting(net), torch.Generator().manual_seed(0)
    other = net[2].weight.detach().clone()
    trick = FrozenNoise(0.02)
    memory = trick.memory(fit)
    trick.before(fit, memory, rng)
    assert float((net[0].weight - start).std()) == pytest.approx(0.02, rel=0.05)
    assert torch.equal(net[2].weight, other)
    trick.stepped(fit, memory, rng)
    assert torch.equal(net[0].weight, start)


def test_frozen_noise_that_stays_goes_on_from_a_checkpoint() -> None:
    """Which holds the memory of a trick, and of the weights only those that are fitted."""
    nets = [nn.Conv2d(8, 8, 3) for _ in range(2)]
    nets[1].load_state_dict(nets[0].state_dict())
    trick, rngs = FrozenNoise(0.02, stays=True), [torch.Generator().manual_seed(0) for _ in range(2)]
    first, second = (fitting(net.requires_grad_(False)) for net in nets)
    memory, later = trick.memory(first), trick.memory(second)
    for _ in range(3):
        trick.before(first, memory, rngs[0])
        trick.stepped(first, memory, rngs[0])
    later["weight"].copy_(memory["weight"])
    rngs[1].set_state(rngs[0].get_state())
    for fit, remembered, rng in ((first, memory, rngs[0]), (second, later, rngs[1])):
        trick.before(fit, remembered, rng)
    assert torch.equal(nets[0].weight, nets[1].weight)


def test_dropout_drops_its_share_and_keeps_the_mean() -> None:
    net = nn.Sequential(nn.Conv2d(4, 4000, 1), nn.BatchNorm2d(4000))
    trick = Dropout(0.3)
    net = trick.around(net, torch.zeros(1))
    fit, rng, draws = fitting(net), torch.Generator().manual_seed(0), []
    for _ in range(2):
        trick.before(fit, {}, rng)
        draws.append(net[1].factors.clone().flatten())
    assert float((draws[0] == 0).float().mean()) == pytest.approx(0.3, abs=0.03)
    assert float(draws[0].mean()) == pytest.approx(1, abs=0.04)
    assert sorted(set(draws[0].tolist())) == pytest.approx([0, 1 / 0.7])
    assert not torch.equal(*draws)


def test_dropout_stands_between_convolution_and_normalisation() -> None:
    net = Dropout().around(skip_net(4, 3, down=(8,), up=(8,), skip=(2,)), torch.zeros(1))
    kinds = [type(layer).__name__ for layer in net[0].merge]
    assert kinds[:4] == ["BatchNorm2d", "ReflectedConv2d", "KeptChannels", "BatchNorm2d"]
    assert "KeptChannels" not in [type(layer).__name__ for layer in net[0].skip]


def test_backtracking_of_every_so_many_is_tried_at_those_alone() -> None:
    """The values grow by 1 a step: a drop between two tries is not seen, and one at a try goes back to the last."""
    trick, seen = Backtracking(2.0, every=4), []
    fit = Fitting(nn.Identity(), nn.Parameter(torch.zeros(1)), torch.zeros(1), torch.zeros(()), nn.Identity(), PROBLEM)
    memory = trick.memory(fit)
    for psnr in (10, 20, 5, 20, 15, 20, 20, 20, 9):
        fit.misfit = torch.tensor(10 ** (-psnr / 10))
        trick.after(fit, memory, torch.Generator())
        seen.append(float(fit.parameters.detach()))
        with torch.no_grad():
            fit.parameters += 1
    assert seen == [0, 1, 2, 3, 4, 5, 6, 7, 4]
    assert int(memory["fallbacks"]) == 1


def test_backtracking_that_is_not_told_how_often_has_the_name_that_it_had() -> None:
    assert Backtracking(5.0).settings() == {"drop": 5.0}
    assert Backtracking(5.0, every=100).settings() == {"drop": 5.0, "every": 100}
