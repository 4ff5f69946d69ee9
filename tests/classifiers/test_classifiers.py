"""The classifiers against what was measured of them, and against torchvision's own way of reading a layer."""

import hashlib
import json
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torchvision.models import get_model
from torchvision.transforms import functional as transforms

from dipbench import registry
from dipbench.classifiers import Layer, classes_of, classifiers, layer_of, layers
from dipbench.classifiers.operator import Seeing
from dipbench.data.loading import load
from dipbench.errors import UserError
from dipbench.images.files import centre_crop, from_pillow, to_pillow

SQUEEZENETS = ["squeezenet1_1", "squeezenet1_0"]

# From the README of the weights: data set, image, class, and its probability by 1.1 and by 1.0.
MEASURED = [
    ("photos", "chelsea", "Egyptian cat", 0.43, 0.67),
    ("photos", "coffee", "espresso", 0.95, 0.88),
    ("dip_photos", "zebra", "zebra", 1.00, 1.00),
    ("set14", "monarch", "monarch, monarch butterfly, milkweed butterfly, Danaus plexippus", 1.00, 1.00),
    ("set14", "pepper", "bell pepper", 0.99, 1.00),
    ("dip_photos", "monkey", "guenon, guenon monkey", 0.64, 1.00),
]


def shown(dataset: str, name: str) -> Tensor:
    """A photograph as it was shown when that was measured: shorter side to 256, of that the centre of 227x227."""
    image = load(registry.build("dataset", dataset), name).image
    assert image is not None
    height, width = (round(side * 256 / min(image.shape[-2:])) for side in image.shape[-2:])
    return centre_crop(from_pillow(to_pillow(image).resize((width, height), Image.Resampling.BILINEAR)), 227, 227)


@pytest.mark.parametrize(("dataset", "name", "called", "by_1_1", "by_1_0"), MEASURED)
def test_squeezenets_call_the_photographs_what_was_measured(
    paper_data: Path, dataset: str, name: str, called: str, by_1_1: float, by_1_0: float
) -> None:
    names = json.loads((paper_data / "weights" / "imagenet1000_clsid_to_human.txt").read_text())
    for classifier, expected in zip(SQUEEZENETS, (by_1_1, by_1_0), strict=True):
        likely = classes_of(classifier)(shown(dataset, name)[None]).softmax(dim=1)[0]
        assert names[str(int(likely.argmax()))] == called
        assert float(likely.max()) == pytest.approx(expected, abs=0.05)


def by_hook(classifier: str, weights: Path, module: str, picture: Tensor) -> Tensor:
    """What a module made when all of the network was run, as NumPy reads the weights and the README has the input."""
    network = get_model(classifier, weights=None).eval()
    for inner in network.modules():
        if isinstance(inner, nn.ReLU):
            inner.inplace = False  # which would write over what the hook is shown
    with np.load(weights) as arrays:
        network.load_state_dict({name: torch.from_numpy(arrays[name].astype(np.float32)) for name in arrays.files})
    seen: list[Tensor] = []
    network.get_submodule(module).register_forward_hook(lambda module, given, made: seen.append(made))
    with torch.no_grad():
        network(255 * picture[None] - torch.tensor([123.0, 117.0, 104.0]).view(1, 3, 1, 1))
    return seen[0]


@pytest.mark.parametrize(
    ("classifier", "file", "layer", "module"),
    [
        ("squeezenet1_1", "squeezenet1_1_fp16", "conv1", "features.0"),
        ("squeezenet1_1", "squeezenet1_1_fp16", "fire5", "features.7"),
        ("squeezenet1_1", "squeezenet1_1_fp16", "features.9.squeeze", "features.9.squeeze"),
        ("squeezenet1_1", "squeezenet1_1_fp16", "conv10", "classifier.1"),
        ("squeezenet1_0", "squeezenet1_0_deepcompressed", "fire9", "features.12"),
    ],
)
def test_features_are_those_that_a_hook_sees(
    paper_data: Path, photo: Tensor, classifier: str, file: str, layer: str, module: str
) -> None:
    expected = by_hook(classifier, paper_data / "weights" / f"{file}.npz", module, photo)
    torch.testing.assert_close(layer_of(classifier, layer)(photo[None]), expected)


def test_conv1_is_seen_before_its_relu(paper_data: Path, photo: Tensor) -> None:
    assert layer_of("squeezenet1_1", "conv1")(photo[None]).min() < 0


KINDS = {"conv": nn.Conv2d, "pool": nn.MaxPool2d, "fc": nn.Linear, "fire": nn.Module, "logits": nn.Module}


@pytest.mark.parametrize("classifier", list(classifiers()))
def test_names_of_the_papers_are_those_of_layers_of_their_kind_in_order(classifier: str) -> None:
    """And all convolutions and all fully connected layers have one, but for those within a fire module."""
    with torch.device("meta"):
        network = get_model(classifier, weights=None)
    row, order = classifiers()[classifier], layers._nodes(classifier)
    places = [order.index(node) for node in row.layers.values()]
    assert places == sorted(places)
    for name, node in row.layers.items():
        if node != "flatten":
            kind = next(kind for kind in KINDS if name.startswith(kind))
            assert isinstance(network.get_submodule(node), KINDS[kind]), name
    outer = {name for name, module in network.named_modules() if isinstance(module, (nn.Conv2d, nn.Linear))}
    assert {name for name in outer if name.count(".") == 1} <= set(row.layers.values())


def test_vgg_and_alexnet_count_their_layers_as_their_papers_do() -> None:
    assert [name for name in classifiers()["alexnet"].layers if name[:2] in ("co", "fc")] == [
        *(f"conv{number}" for number in range(1, 6)),
        *("fc6", "fc7", "fc8"),
    ]
    for name, deep in (("vgg16", 3), ("vgg19", 4)):
        blocks = [(block, 2 if block < 3 else deep) for block in range(1, 6)]
        expected = [f"conv{block}_{number}" for block, count in blocks for number in range(1, count + 1)]
        assert [layer for layer in classifiers()[name].layers if layer.startswith("conv")] == expected


@pytest.mark.parametrize("classifier", ["squeezenet1_1", "squeezenet1_0", "alexnet"])
def test_smallest_side_is_the_smallest(classifier: str) -> None:
    smallest = classifiers()[classifier].smallest
    network = layers.architecture(classifier)
    assert network(torch.zeros(1, 3, smallest, smallest)).shape == (1, 1000)
    with pytest.raises(RuntimeError):
        network(torch.zeros(1, 3, smallest - 1, smallest - 1))


def test_torchvisions_input_is_its_own(photo: Tensor) -> None:
    """By what torchvision says that its weights take."""
    row = classifiers()["alexnet"]
    given = Layer(row, "x", _Same())(photo[None])
    torch.testing.assert_close(given[0], transforms.normalize(photo, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))


class _Same(nn.Module):
    def forward(self, given: Tensor) -> dict[str, Tensor]:
        return {"x": given}


def test_grey_is_the_picture_in_three_channels(paper_data: Path, photo: Tensor) -> None:
    layer = layer_of("squeezenet1_1", "fire3")
    torch.testing.assert_close(layer(photo[None, :1]), layer(photo[None, :1].expand(-1, 3, -1, -1)))


def test_seeing_takes_pictures_with_and_without_a_batch_and_is_differentiable(paper_data: Path, photo: Tensor) -> None:
    seeing = Seeing(layer_of("squeezenet1_1", "fire3"))
    one, batch = seeing(photo), seeing(photo[None].double())
    assert one.shape == (128 * 15 * 15,)
    assert (batch.shape, batch.dtype) == ((1, *one.shape), torch.float64)
    torch.testing.assert_close(batch[0].float(), one)
    picture = photo.clone().requires_grad_()
    seeing(picture).square().mean().backward()
    assert picture.grad is not None
    assert picture.grad.abs().sum() > 0


@pytest.mark.parametrize(("half", "expected"), [(None, range(15)), (2, range(5, 9)), (20, range(15))])
def test_window_is_in_the_middle_of_the_map(paper_data: Path, photo: Tensor, half: int | None, expected: range) -> None:
    layer = layer_of("squeezenet1_1", "fire3")
    window = slice(expected.start, expected.stop)
    torch.testing.assert_close(
        Seeing(layer, unit=7, half_width=half)(photo), layer(photo[None])[0, 7, window, window].flatten()
    )


def test_moving_to_another_device_leaves_the_shared_network_where_it_is(paper_data: Path) -> None:
    seeing = Seeing(layer_of("squeezenet1_1", "conv1"))
    there = seeing.to(torch.device("meta"))
    assert {parameter.device.type for parameter in there.layer.parameters()} == {"meta"}
    assert {parameter.device.type for parameter in seeing.layer.parameters()} == {"cpu"}
    assert seeing.to(torch.device("cpu")).layer is seeing.layer


# What goes wrong


def test_a_layer_that_there_is_not_is_told_those_that_there_are(paper_data: Path) -> None:
    with pytest.raises(UserError, match=r"squeezenet1_1 has no layer 'fc6': it has conv1, fire2, .*features\.0, "):
        layer_of("squeezenet1_1", "fc6")


def test_missing_weights_of_torchvision_say_where_they_come_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(UserError) as error:
        layer_of("alexnet", "fc6")
    message = str(error.value)
    assert message.startswith(f"classifier 'alexnet' needs alexnet-owt-7be5be79.pth in '{tmp_path}/hub/checkpoints'")
    assert "from https://download.pytorch.org/models/alexnet-owt-7be5be79.pth" in message
    assert "TORCH_HOME" in message
    assert "classifier=squeezenet1_1" in message


def test_missing_weights_of_ours_say_how_to_get_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIPBENCH_DATA", str(tmp_path))
    monkeypatch.setenv("DIPBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(layers, "_network", layers._network.__wrapped__)  # nothing that another test loaded
    with pytest.raises(UserError, match=r"squeezenet1_1_fp16.*dipbench data fetch weights, or point DIPBENCH_DATA"):
        layer_of("squeezenet1_1", "conv1")


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of torchvision's weights."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(layers, "_network", layers._network.__wrapped__)
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


def test_other_weights_are_refused_by_their_checksum(hub: Path) -> None:
    (hub / "alexnet-owt-7be5be79.pth").write_bytes(b"others")
    digest = hashlib.sha256(b"others").hexdigest()
    with pytest.raises(UserError, match=f"its sha256 is {digest}, expected 7be5be79.*fetch it again from https"):
        layer_of("alexnet", "fc6")


def test_weights_of_another_network_are_refused(hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _saved(hub, nn.Linear(2, 2).state_dict(), monkeypatch)
    with pytest.raises(UserError, match=f"the weights in '{path}' are not those of classifier 'alexnet'.*features.0"):
        layer_of("alexnet", "fc6")


def test_torchvisions_weights_are_loaded_where_they_are(
    hub: Path, monkeypatch: pytest.MonkeyPatch, photo: Tensor
) -> None:
    network = get_model("squeezenet1_1", weights=None).eval()  # the smallest that torchvision has
    row = classifiers()["squeezenet1_1"]
    monkeypatch.setattr(layers, "classifiers", lambda: {"squeezenet1_1": _without_weights(row)})
    _saved(hub, network.state_dict(), monkeypatch)
    expected = network(255 * photo[None] - torch.tensor(row.mean).view(1, 3, 1, 1))
    torch.testing.assert_close(layer_of("squeezenet1_1", "logits")(photo[None]), expected.detach())


def _without_weights(row: Any) -> Any:
    return type(row)(row.scale, row.mean, row.std, row.smallest, layers=row.layers)


def _saved(hub: Path, state: dict[str, Tensor], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Written under a name that ends in the first digits of its sha256, as torchvision has it."""
    torch.save(state, hub / "made")
    path = hub / f"made-{hashlib.sha256((hub / 'made').read_bytes()).hexdigest()[:8]}.pth"
    (hub / "made").rename(path)

    class Known:
        url = f"https://example.org/{path.name}"
        meta: ClassVar = {"_file_size": 1.0}

    monkeypatch.setattr("dipbench.classifiers.weights.get_model_weights", lambda name: {"IMAGENET1K_V1": Known})
    return path
