"""Weights as their authors released them: files of each kind, written here with known arrays, are read as these."""

import pickle
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.io import savemat
from torchvision.models import squeezenet1_1

from dipbench.data.pinned import cache_folder
from dipbench.data.sources import READERS, dagnn, ncnn_squeezenet, simplenn, torch_chain, torch_state
from dipbench.data.weights import Weights, read_weights

SOURCES = [file.name for file in Weights().files() if file.reader]


def kernel(*shape: int) -> NDArray[np.float32]:
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


def of_matlab(weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """(output, input, height, width) as MATLAB has it, without the last axes of one, which MATLAB drops."""
    array = weight.transpose(2, 3, 1, 0)
    while array.ndim > 2 and array.shape[-1] == 1:
        array = array[..., 0]
    return array


CHAIN = {
    "conv01.weight": kernel(4, 2, 3, 3),
    "conv01.bias": kernel(4),
    "conv02.weight": kernel(1, 4, 3, 3),
    "conv02.bias": kernel(1),
}
GRAPH = {
    "a.weight": kernel(4, 2, 3, 3),
    "a.bias": kernel(4),
    "b.weight": kernel(1, 4, 3, 3),
    "c.weight": kernel(1, 1, 4, 4),
}


def equal(read: dict[str, NDArray[np.float32]], expected: dict[str, NDArray[np.float32]]) -> bool:
    return read.keys() == expected.keys() and all(np.array_equal(read[key], expected[key]) for key in expected)


def test_state_of_pytorch_is_read_by_its_names(tmp_path: Path) -> None:
    torch.save({name: torch.from_numpy(value) for name, value in GRAPH.items()}, tmp_path / "a.pth")
    assert equal(torch_state(tmp_path / "a.pth"), GRAPH)


def test_chain_of_pytorch_is_counted_by_its_convolutions(tmp_path: Path) -> None:
    names = ("model.0.weight", "model.0.bias", "model.2.weight", "model.2.bias")
    values = (torch.from_numpy(value) for value in CHAIN.values())
    torch.save(dict(zip(names, values, strict=True)), tmp_path / "a.pth")
    assert equal(torch_chain(tmp_path / "a.pth"), CHAIN)


class Harmful:
    """An object whose unpickling calls something."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("it was run",)


def test_what_a_pickle_would_run_is_not_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"a": Harmful()}, tmp_path / "a.pth")
    with pytest.raises(pickle.UnpicklingError):
        torch_state(tmp_path / "a.pth")
    assert capsys.readouterr().out == ""


def test_chain_of_matconvnet_is_read_from_hdf5(tmp_path: Path) -> None:
    """Which stores the axes of MATLAB the other way round; a ReLU has no weights, or an empty cell of them."""
    with h5py.File(tmp_path / "a.mat", "w") as file:
        layers = []
        for number in (1, 2):
            weight, bias = CHAIN[f"conv{number:02}.weight"], CHAIN[f"conv{number:02}.bias"]
            parts = []
            for place, part in enumerate([of_matlab(weight).T, bias[None]]):
                file[f"parts/{number}{place}"] = part
                parts.append(file[f"parts/{number}{place}"].ref)
            file[f"layers/{number}/weights"] = np.array(parts, h5py.ref_dtype)
            file[f"layers/{number}_relu/weights"] = np.zeros(2, np.uint64)
            layers += [file[f"layers/{number}"].ref, file[f"layers/{number}_relu"].ref]
        file["net/layers"] = np.array(layers, h5py.ref_dtype)[:, None]
    assert equal(simplenn(tmp_path / "a.mat"), CHAIN)


def test_graph_of_matconvnet_is_read_from_an_older_file(tmp_path: Path) -> None:
    params = np.empty((1, len(GRAPH)), [("name", "O"), ("value", "O")])
    for place, (name, value) in enumerate(GRAPH.items()):
        layer, part = name.split(".")
        kind, array = ("f", of_matlab(value)) if part == "weight" else ("b", value[None])
        params[0, place] = (f"{layer}_{kind}", array)
    savemat(tmp_path / "a.mat", {"net": {"params": params}})
    assert equal(dagnn(tmp_path / "a.mat"), GRAPH)


def test_squeezenet_of_ncnn_is_read_with_red_first(tmp_path: Path) -> None:
    shapes = {name: tuple(value.shape) for name, value in squeezenet1_1().state_dict().items()}
    rng, written, expected = np.random.default_rng(0), b"", {}
    for name, shape in shapes.items():
        value = rng.standard_normal(shape).astype(np.float32 if name.endswith("bias") else np.float16)
        expected[name] = value[:, ::-1] if name == "features.0.weight" else value
        written += (b"" if name.endswith("bias") else bytes.fromhex("476b3001")) + value.tobytes()
    (tmp_path / "a.bin").write_bytes(written)
    assert equal(ncnn_squeezenet(tmp_path / "a.bin"), expected)
    (tmp_path / "a.bin").write_bytes(written + b"more")
    with pytest.raises(ValueError, match=r"bytes, and SqueezeNet 1\.1 takes 2478984"):
        ncnn_squeezenet(tmp_path / "a.bin")
    (tmp_path / "a.bin").write_bytes(b"1234" + written)
    with pytest.raises(ValueError, match=r"no half-precision numbers at byte 0, where features\.0\.weight begins"):
        ncnn_squeezenet(tmp_path / "a.bin")


@pytest.mark.parametrize("name", SOURCES)
def test_fetched_weights_are_those_of_the_folder(name: str, paper_data: Path) -> None:
    """Bit for bit, of the files that `dipbench data fetch weights` left in the cache."""
    file = Weights().file(name)
    path = cache_folder() / file.fetched[0]
    if not path.is_file():
        pytest.skip(f"{file.fetched[0]} is not in the cache: nothing was compared")
    assert equal(READERS[file.reader](path), {key: value.numpy() for key, value in read_weights(name).items()})
