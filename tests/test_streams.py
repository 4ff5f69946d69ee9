import torch

from dipbench.streams import Streams


def test_streams_of_one_name_repeat_and_of_two_names_differ() -> None:
    rng = Streams(3, ("a",))
    assert rng.numpy("noise").integers(2**60) == rng.numpy("noise").integers(2**60)
    assert rng.numpy("noise").integers(2**60) != rng.numpy("mask").integers(2**60)


def test_seed_and_path_tell_streams_apart() -> None:
    seeds = {Streams(seed, path).integer("noise") for seed in (0, 1) for path in [("a",), ("b",), ("a", "b"), ("ab",)]}
    assert len(seeds) == 8


def test_the_seed_of_a_stream_does_not_change_between_versions() -> None:
    assert Streams(0, ("measurement", "photos")).integer("noise") == 320_993_366_429_702_226


def test_seeded_block_leaves_the_global_generator_as_it_was() -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    with Streams(5).seeded("weights"):
        first = torch.rand(3)
    assert torch.equal(torch.get_rng_state(), before)
    with Streams(5).seeded("weights"):
        assert torch.equal(torch.rand(3), first)
