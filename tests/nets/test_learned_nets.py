"""The networks of learned methods: as many parameters as their weights have, and what their parts do."""

import pytest
import torch
from torch import nn

from dipbench.data.weights import Weights
from dipbench.nets.carn_m import CarnM
from dipbench.nets.dncnn import Chain, DnCNN, FFDNet
from dipbench.nets.lapsrn import LapSRN4, LapSRN8
from dipbench.nets.rfdn import RFDN, SMALLEST
from dipbench.nets.vdsr import VDSR

NETWORKS = {
    "dncnn_gray_s25": (lambda: DnCNN(1, depth=17), 555_137),
    "dncnn_color_s25": (lambda: DnCNN(3, depth=20), 668_227),
    "dncnn3_multitask_gray": (lambda: DnCNN(1, depth=20), 665_921),
    "ffdnet_gray": (lambda: FFDNet(1, 64, depth=15, sigma=0.1), 485_316),
    "ffdnet_color": (lambda: FFDNet(3, 96, depth=12, sigma=0.1), 852_108),
    "vdsr_y": (VDSR, 664_704),
    "lapsrn_x4_y": (LapSRN4, 870_112),
    "lapsrn_x8_y": (LapSRN8, 667_123),
    "carn_m_x234_rgb": (lambda: CarnM(4), 414_811),
    "rfdn_x4_rgb": (RFDN, 433_448),
}
"""Of each file of weights: its network, and the parameters that are known of it."""


@pytest.mark.parametrize("name", NETWORKS)
def test_network_has_the_parameters_that_are_known_of_it(name: str) -> None:
    network, parameters = NETWORKS[name]
    with torch.device("meta"):
        made = network()
    assert sum(parameter.numel() for parameter in made.parameters()) == parameters
    assert int(Weights().file(name).parameters) == parameters


@pytest.mark.parametrize(
    ("network", "channels", "factor"),
    [(VDSR, 1, 1), (LapSRN4, 1, 4), (LapSRN8, 1, 8), (RFDN, 3, 4), *((lambda f=f: CarnM(f), 3, f) for f in (2, 3, 4))],
)
def test_network_enlarges_by_its_factor(network: type[nn.Module], channels: int, factor: int) -> None:
    with torch.no_grad():
        made = network()(torch.rand(1, channels, SMALLEST, SMALLEST + 2))
    assert made.shape == (1, channels, factor * SMALLEST, factor * (SMALLEST + 2))


def test_chain_keeps_nothing_between_its_convolutions_that_is_below_zero() -> None:
    """1x1x1: the centre of each kernel alone, which a line of arithmetic follows."""
    chain = Chain(1, 1, 1, depth=3)
    for layer, weight in zip((chain.conv01, chain.conv02, chain.conv03), (-1.0, 2.0, -3.0), strict=True):
        nn.init.zeros_(layer.weight)
        nn.init.constant_(layer.bias, 0.5)
        with torch.no_grad():
            layer.weight[0, 0, 1, 1] = weight
    with torch.no_grad():
        made = chain(torch.tensor([0.1, 0.9]).view(1, 1, 1, 2))
    # 0.1: max(-0.1 + 0.5, 0) = 0.4; 1.3; -3.4.  0.9: max(-0.9 + 0.5, 0) = 0; 0.5; -1
    torch.testing.assert_close(made.flatten(), torch.tensor([-3.4, -1.0]))


def test_dncnn_subtracts_what_it_finds() -> None:
    network = DnCNN(1, depth=2)
    for parameter in network.parameters():
        nn.init.zeros_(parameter)
    nn.init.constant_(network.conv02.bias, 0.25)
    noisy = torch.rand(1, 1, 5, 7)
    with torch.no_grad():
        torch.testing.assert_close(network(noisy), noisy - 0.25)


def ffdnet_that_passes(colours: int, channel: int) -> FFDNet:
    """Of which every output channel is the input channel of that number, by a chain of one convolution."""
    network = FFDNet(colours, 1, depth=1, sigma=0.5)
    nn.init.zeros_(network.conv01.weight)
    nn.init.zeros_(network.conv01.bias)
    with torch.no_grad():
        network.conv01.weight[:, channel, 1, 1] = 1
    return network


@pytest.mark.parametrize("channel", range(12))
def test_ffdnet_takes_the_squares_colour_by_colour_and_down_the_columns(channel: int) -> None:
    """(row, column) of the four: (0, 0), (1, 0), (0, 1), (1, 1), as the released weights have it."""
    image = torch.rand(1, 3, 6, 4)
    row, column = ((0, 0), (1, 0), (0, 1), (1, 1))[channel % 4]
    expected = image[0, channel // 4, row::2, column::2]
    with torch.no_grad():
        made = ffdnet_that_passes(3, channel)(image)[0]
    for colour in range(3):
        for place in ((0, 0), (0, 1), (1, 0), (1, 1)):
            assert torch.equal(made[colour, place[0] :: 2, place[1] :: 2], expected)


def test_ffdnet_puts_the_squares_back_where_they_were() -> None:
    network = FFDNet(3, 1, depth=1, sigma=0.5)
    nn.init.zeros_(network.conv01.bias)
    nn.init.dirac_(network.conv01.weight)
    image = torch.rand(1, 3, 7, 5)
    with torch.no_grad():
        assert torch.equal(network(image), image)


def test_ffdnet_is_told_the_noise_level_as_its_last_channel() -> None:
    with torch.no_grad():
        made = ffdnet_that_passes(1, 4)(torch.rand(1, 1, 5, 3))
    assert torch.equal(made, torch.full((1, 1, 5, 3), 0.5))
