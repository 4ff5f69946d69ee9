"""Weights as their authors released them, read as data: nothing in a file is run, and only axes are reordered.

What PyTorch pickled is read by its unpickler of weights, which makes tensors and nothing else; MATLAB's files by SciPy
and, of version 7.3, as the HDF5 that they are. A kernel of MATLAB has the axes height, width, input, output. A file of
ncnn is nothing but numbers, one layer after the other, and does not name them: what reads it knows the network.
"""

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import torch
from numpy.typing import NDArray
from scipy.io import loadmat
from torchvision.models import squeezenet1_1

Array = NDArray[np.floating]
Arrays = dict[str, Array]


def torch_state(path: Path) -> Arrays:
    """The parameters that PyTorch saved, by their names."""
    state = torch.load(path, map_location="cpu", weights_only=True)
    return {name: value.numpy() for name, value in state.items()}


def torch_chain(path: Path) -> Arrays:
    """The same of a chain whose layers are counted from 0, every second one a convolution, as `conv01`, ..."""
    arrays: Arrays = {}
    for name, value in torch_state(path).items():
        _, layer, part = name.split(".")
        arrays[f"conv{int(layer) // 2 + 1:02}.{part}"] = value
    return arrays


def simplenn(path: Path) -> Arrays:
    """A chain of MatConvNet in MATLAB 7.3, as `conv01`, ...; HDF5 has the axes the other way round."""
    arrays: Arrays = {}
    with h5py.File(path) as file:
        layers = (file[layer] for layer in file["net/layers"][:, 0])
        held = [layer["weights"] for layer in layers if "weights" in layer and layer["weights"].dtype == object]
        for number, weights in enumerate(held, start=1):
            kernel, bias = (file[part][()] for part in weights[()].flat)
            inputs_last = kernel.reshape(-1, *kernel.shape[-3:])  # of one output MATLAB drops the axis
            arrays[f"conv{number:02}.weight"] = inputs_last.swapaxes(-1, -2)
            arrays[f"conv{number:02}.bias"] = bias.reshape(-1)
    return arrays


def dagnn(path: Path) -> Arrays:
    """A graph of MatConvNet, whose parameters are called NAME_f and NAME_b."""
    arrays: Arrays = {}
    for parameter in loadmat(path)["net"][0, 0]["params"].flat:
        name, kind = parameter["name"].item().rsplit("_", 1)
        value = parameter["value"]
        if kind == "b":
            arrays[f"{name}.bias"] = value.reshape(-1)
        else:
            kernel = value.reshape(*value.shape, *[1] * (4 - value.ndim))  # MATLAB drops the last axes of one
            arrays[f"{name}.weight"] = kernel.transpose(3, 2, 0, 1)
    return arrays


_HALF = 0x01306B47  # what ncnn puts before numbers in half precision, which it fills up to four bytes


def ncnn_squeezenet(path: Path) -> Arrays:
    """SqueezeNet 1.1 of ncnn, half precision, by torchvision's names, which have the order of its file.

    It is Caffe's and takes BGR; the first kernels are turned round to take RGB. ValueError of another network's file.
    """
    with torch.device("meta"):  # for the names and shapes alone
        shapes = {name: value.shape for name, value in squeezenet1_1().state_dict().items()}
    data, place, arrays = path.read_bytes(), 0, Arrays()
    for name, shape in shapes.items():
        count = shape.numel()
        if name.endswith("bias"):
            arrays[name] = np.frombuffer(data, "<f4", count, place)
            place += 4 * count
            continue
        if data[place : place + 4] != _HALF.to_bytes(4, "little"):
            raise ValueError(f"{path} has no half-precision numbers at byte {place}, where {name} begins")
        arrays[name] = np.frombuffer(data, "<f2", count, place + 4).reshape(shape)
        place += 4 + 2 * count + 2 * (count % 2)
    if place != len(data):
        raise ValueError(f"{path} has {len(data)} bytes, and SqueezeNet 1.1 takes {place}")
    first = next(iter(arrays))
    return {**arrays, first: arrays[first][:, ::-1]}


READERS: dict[str, Callable[[Path], Arrays]] = {
    "torch": torch_state,
    "torch_chain": torch_chain,
    "simplenn": simplenn,
    "dagnn": dagnn,
    "ncnn_squeezenet": ncnn_squeezenet,
}
"""By the column `reader` of weights.csv."""
