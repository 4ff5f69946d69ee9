import itertools
import random
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch

from dipbench.streams import Place, Streams


def test_streams_of_one_name_repeat_and_of_two_names_differ() -> None:
    rng = Streams(3, ("a",))
    assert rng.numpy("noise").integers(2**60) == rng.numpy("noise").integers(2**60)
    assert rng.numpy("noise").integers(2**60) != rng.numpy("mask").integers(2**60)


def test_seed_and_path_tell_streams_apart() -> None:
    seeds = {Streams(seed, path).integer("noise") for seed in (0, 1) for path in [("a",), ("b",), ("a", "b"), ("ab",)]}
    assert len(seeds) == 8


def test_the_seed_of_a_stream_does_not_change_between_versions() -> None:
    assert Streams(0, ("measurement", "photos")).integer("noise") == 320_993_366_429_702_226


GLOBAL = [lambda: float(torch.rand(())), lambda: float(np.random.rand()), random.random]


@pytest.mark.parametrize("draw", GLOBAL, ids=["torch", "numpy", "random"])
def test_seeded_block_leaves_the_global_generator_as_it_was(draw: Callable[[], float]) -> None:
    def seed() -> None:
        torch.manual_seed(0)
        np.random.seed(0)
        random.seed(0)

    seed()
    untouched = [draw(), draw()]
    seed()
    before = draw()
    with Streams(5).seeded("weights"):
        first = draw()
    assert [before, draw()] == untouched
    with Streams(5).seeded("weights"):
        assert draw() == first
    with Streams(6).seeded("weights"):
        assert draw() != first


DEVICES = [
    "cpu",
    pytest.param(
        "cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA GPU on this machine")
    ),
]


@pytest.mark.parametrize("device", DEVICES)
def test_places_take_turns_and_each_goes_on_as_if_alone(device: str) -> None:
    def draw(*places: Place) -> list[list[float]]:
        drawn: list[list[float]] = [[] for _ in places]
        for _ in range(3):
            for place, numbers in zip(places, drawn, strict=True):
                with place.borrowed():
                    numbers += [float(torch.rand((), device=device)), *(one() for one in GLOBAL)]
        return drawn

    def place(seed: int) -> Place:
        return Place(Streams(seed), "global", device)

    def outside() -> list[float]:
        torch.manual_seed(0)
        return [float(torch.rand((), device=device))]

    untouched = [*outside(), float(torch.rand((), device=device))]
    (one,), (other,) = draw(place(0)), draw(place(1))
    assert len({*one, *other}) == 24
    before = outside()
    assert draw(place(0), place(1)) == [one, other]
    assert [*before, float(torch.rand((), device=device))] == untouched

    first, second = place(0), place(1)
    draw(first)
    state = first.state()
    later = draw(first)
    second.load(state)
    assert draw(second) == later


@pytest.mark.parametrize("device", DEVICES[1:])
def test_captured_graphs_draw_each_from_the_place_they_were_captured_in(device: str) -> None:
    def captured(seed: int) -> Iterator[float]:
        place, drawn = Place(Streams(seed), "global", device), torch.empty((), device=device)
        graph = torch.cuda.CUDAGraph()
        with place.borrowed(), torch.cuda.graph(graph):
            drawn.uniform_()
        while True:
            with place.borrowed():
                graph.replay()
            yield float(drawn)

    def plain(seed: int) -> Iterator[float]:
        place = Place(Streams(seed), "global", device)
        while True:
            with place.borrowed():
                yield float(torch.empty((), device=device).uniform_())

    drawn = list(itertools.islice(zip(captured(0), captured(1), strict=True), 5))
    assert drawn == list(itertools.islice(zip(plain(0), plain(1), strict=True), 5))
