"""Priors that are broken on purpose, one for each line of the check, and the line that finds it."""

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from broken_prior import BUILD, FORWARD, INPUT, RETURN, complaints_of

from dipbench.running.check import checked

Complaints = Callable[[str, Path, str], str]


def test_the_prior_that_the_others_are_made_of_keeps_the_contract_at_its_full_length(tmp_path: Path) -> None:
    """Also without settings of its own for a try: a fit of 1500 iterations is not pulled to its end."""
    assert complaints_of(tmp_path) == ""


def counted_in(place: str) -> list[tuple[str, str]]:
    """An optimiser whose steps become smaller, by a count that it keeps there."""
    own = f"""class Slower(torch.optim.SGD):
    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        parameter, = self.param_groups[0]["params"]
        {place}["t"] = {place}.get("t", 0) + 1
        parameter -= 0.1 / {place}["t"] * parameter.grad


@dataclass(frozen=True)
class Own(Optimiser):
    def over(self, parameters: nn.Parameter, on_device: bool) -> torch.optim.Optimizer:
        return Slower([parameters], 0.1)


class Net("""
    return [
        ("class Net(", own),
        ("FitSettings(self.iterations)", "FitSettings(self.iterations, optimiser=Own())"),
        ("from dipbench.nets", "from dipbench.optimisers import Optimiser\nfrom dipbench.nets"),
    ]


BROKEN = {
    "weights are reused": (
        [(RETURN, "KEPT.append(Net(problem.shape[0])) if not KEPT else None\n        return KEPT[0], z")],
        "two images after .* weights or other things are kept .* make the network",
    ),
    "weights are reused through a cache": (
        [("class Net(", "@functools.cache\ndef cached(channels):\n    return Net(channels)\n\n\nclass Net("),
         (RETURN, "return cached(problem.shape[0]), z")],
        "two images after each other .* keep nothing in globals, in the class or in a cache",
    ),
    "the truth is peeked at in the harness": (
        [(BUILD, '''    def estimate(self, output: Tensor) -> Tensor:
        frame = sys._getframe()
        while frame is not None:
            truth = getattr(frame.f_locals.get("self"), "_recorder", None)
            if truth is not None:
                return output * 0 + truth._truth
            frame = frame.f_back
        return output

''' + BUILD)],
        "the truth is out of its reach: another truth behind the same measurement gives another estimate",
    ),
    "the truth is a global": (
        [("KEPT: list", "TRUTH = picture(3, 64, 64)\nKEPT: list"),
         (RETURN, "return Net(problem.shape[0]), z + TRUTH.mean()")],
        r"the truth is out of its reach: its code holds a picture, 'TRUTH' of shape \(3, 64, 64\): what it knows",
    ),
    "the truth is a global of a network's": (
        [("KEPT: list", "TRUTH = picture(3, 64, 64)\nKEPT: list"),
         ("        self.calls = 0", "        self.calls = float(TRUTH.mean())")],
        r"the truth is out of its reach: its code holds a picture, 'TRUTH' of shape \(3, 64, 64\): what it knows",
    ),
    "the truth is closed over": (
        [("class Net(", '''def around(truth: np.ndarray) -> Callable[[Tensor], Tensor]:
    def shifted(z: Tensor) -> Tensor:
        return z + float(truth.mean())

    return shifted


class Net('''),
         (BUILD, "    shift = staticmethod(around(picture(3, 64, 64).permute(1, 2, 0).numpy()))\n\n" + BUILD),
         (RETURN, "return Net(problem.shape[0]), self.shift(z)")],
        r"the truth is out of its reach: its code holds a picture, 'truth' of shape \(64, 64, 3\)",
    ),
    "a generator of its own is seeded": (
        [(INPUT, "torch.rand(1, 4, *problem.shape[1:], generator=torch.Generator().manual_seed(0))"),
         (RETURN, "net = Net(problem.shape[0])\n        nn.utils.vector_to_parameters(torch.linspace(-1, 1, "
                  "sum(p.numel() for p in net.parameters())), net.parameters())\n        return net, z")],
        "another seed gives other estimates, where it draws: it draws, and yet another seed gives the same",
    ),
    "the seed of the weights is set, and not that of the input": (
        [(RETURN, "torch.manual_seed(0)\n        " + RETURN)],
        "another seed gives other estimates, where it draws: it seeds torch's, .* such as the weights, is the same",
    ),
    "the seed is set within the network": (
        [(FORWARD, "np.random.seed(3)\n        return self.body(z + float(np.random.rand())).sigmoid()")],
        "another seed gives other estimates, where it draws: it seeds torch's, NumPy's or Python's global generator",
    ),
    "the global generator draws the input": (
        [(INPUT, "torch.rand(1, 4, *problem.shape[1:])")],
        "its input is drawn from `rng`: its input comes of torch's, NumPy's or Python's global generator",
    ),
    "NumPy's global generator draws the input": (
        [(INPUT, "torch.from_numpy(np.random.rand(1, 4, *problem.shape[1:])).float()")],
        "its input is drawn from `rng`: its input comes of torch's, NumPy's",
    ),
    "the global generator draws an input that is fitted": (
        [(RETURN, "z = torch.rand(1, 4, *problem.shape[1:])\n"
                  "        return FittedInput(Net(problem.shape[0]), z), torch.zeros_like(z)"),
         ("import noise_input", "import FittedInput, noise_input")],
        "its input is drawn from `rng`: its network's 'z', of the size of the input, comes of torch's, NumPy's or",
    ),
    "the global generator draws an input that is a buffer": (
        [("        self.calls = 0", "        self.register_buffer('noise', torch.randn(64, 64))"),
         (FORWARD, "return (self.body(z) + nn.functional.interpolate(self.noise[None, None], z.shape[2:])).sigmoid()")],
        "its input is drawn from `rng`: its network's 'noise', of the size of the input, comes of torch's",
    ),
    "a generator of its own draws": (
        [("KEPT: list", "ELSEWHERE = torch.Generator()\nKEPT: list"),
         (INPUT, "torch.rand(1, 4, *problem.shape[1:], generator=ELSEWHERE)")],
        "denoising: the same seed gives the same estimates: it draws from somewhere else than `rng`",
    ),
    "the measurement is changed in place": (
        [("        z = noise", "        problem.measurement.mul_(0.9)\n        z = noise")],
        r"3x64x64: .*it wrote to problem.measurement, which is everybody's: take problem.measurement.clone\(\)",
    ),
    "the mask of the operator is changed in place": (
        [("        z = noise", '        getattr(problem.operator, "known", z_none()).fill_(1)\n        z = noise'),
         ("class Net(", "z_none = functools.partial(torch.zeros, 1)\n\n\nclass Net(")],
        r"inpainting, 3x64x64: .*it wrote to problem.operator.known, which .*: take problem.operator.known.clone\(\)",
    ),
    "white is 255": (
        [(FORWARD, "return 255 * self.body(z).sigmoid()")],
        "denoising, 3x64x64: .*: an estimate with values up to .*: black is 0 and white is 1; divide by 255",
    ),
    "the shape is wrong": (
        [(FORWARD, "return self.body(z).sigmoid()[..., ::2, :]")],
        r"denoising, 3x64x64: .*: wrong's network, by estimate\(\), yielded an estimate of shape \(3, 32, 64\) on cpu: "
        r"it must be \(3, 64, 64\) on cpu: mend that, or have refuses\(\) give a reason\n",
    ),
    "an odd side is rounded": (
        [(FORWARD, "return nn.functional.interpolate(self.body(z[..., 1::2, 1::2]), None, 2).sigmoid()")],
        r"denoising, 3x69x70: .* of shape \(3, 68, 70\) .*: mend that, .* what takes no odd side can pad it",
    ),
    "colour alone is made": (
        [(RETURN, "return Net(3), z")],
        r"denoising, 1x96x64: .*an estimate of shape \(3, 96, 64\) on cpu: it must be \(1, 96, 64\)",
    ),
    "no input is built": (
        [(RETURN, "return Net(problem.shape[0])")],
        r"denoising, 3x64x64: .*: wrong's build\(\) gave Net: it must give the network and its input, a tensor",
    ),
    "the program is ended": (
        [("        z = noise", "        sys.exit()\n        z = noise")],
        r"denoising, 3x64x64: .*: SystemExit \(build, line \d+ of .*/wrong.py\): mend that",
    ),
    "an assertion without words": (
        [("        z = noise", "        assert problem.shape[1] % 32 == 0\n        z = noise")],
        r"denoising, 3x69x70: .*: AssertionError \(build, line \d+ of .*/wrong.py\): mend that",
    ),
    "an error deep in torch": (
        [(FORWARD, "return self.body(z[:, :3]).sigmoid()")],
        r"denoising, 3x64x64: .*: RuntimeError: .* \(forward, line \d+ of .*/wrong.py\): mend that",
    ),
    "a tuple is made": (
        [(FORWARD, "return self.body(z).sigmoid(), z")],
        r"denoising, 3x64x64: .*: wrong's network gave tuple: it must give a tensor \(1, C, H, W\)",
    ),
    "nothing can be fitted": (
        [(RETURN, "return Net(problem.shape[0]).requires_grad_(False), z")],
        "denoising, 3x64x64: .*: wrong's network has no parameter that is fitted",
    ),
    "NaN": (
        [(FORWARD, "return self.body(z).sigmoid().log().sqrt()")],
        "denoising, 3x64x64: .*: an estimate that is not finite: it divides by nothing, or its steps are too large",
    ),
    "another device, in the estimate": (
        [(BUILD, '    def estimate(self, output: Tensor) -> Tensor:\n        return output.to("meta")\n\n' + BUILD)],
        r"denoising, 3x64x64: .*an estimate of shape \(3, 64, 64\) on meta: it must be \(3, 64, 64\) on cpu",
    ),
    "another type": (
        [(FORWARD, "return self.body(z.float()).sigmoid()")],
        "it is fitted in double precision: RuntimeError: .*: make each tensor with dtype=z.dtype",
    ),
    "state that no checkpoint has": (
        [(FORWARD, "self.calls += 1\n        return self.body(z).sigmoid() * (1 - 0.1 * self.calls)")],
        "as if it had not stopped: after a checkpoint it goes on otherwise: .*register_buffer",
    ),
    "an optimiser that counts in Python": (
        counted_in("self.__dict__"),
        "as if it had not stopped: after a checkpoint it goes on otherwise: .*in the `state` of an optimiser of its",
    ),
    "an optimiser with a number that is no tensor in its state": (
        counted_in("self.state[parameter]"),
        "denoising, 3x64x64: .*optimiser keeps 't' of its state as int: it must be a tensor on the device of the",
    ),
    "a setting that cannot be sent": (
        [("    def fit_settings", "    bend: Callable[..., Any] = lambda x: x  # layers\n\n    def fit_settings")],
        "it can be computed in other processes: .*: a setting must be a number, a text, a list of such or a plugin",
    ),
    "slower than it declares": (
        [('    """Is right as yet."""\n', '    """Is right as yet."""\n\n    most_seconds = 1e-6\n')],
        "the time and the memory that it declares: tiny.. took .* s on 64x64, and it declares 1e-06: make tiny",
    ),
    "larger than it declares": (
        [('    """Is right as yet."""\n', '    """Is right as yet."""\n\n    most_gigabytes = 1e-6\n')],
        "the time and the memory that it declares: tiny.. took .* GiB on 64x64, and it declares 1e-06: make tiny",
    ),
    "a picture is taken of what is none": (
        [("        z = noise", "        problem.degraded()\n        z = noise")],
        r"inversion, 3x32x32: .*: inversion's measurement of shape \(\d+,\) is no picture, .*says only_pictures = True",
    ),
    "a package that is missing": (
        [("        z = noise", "        import a_package_that_is_not_there\n        z = noise")],
        "ModuleNotFoundError: .*; it needs that package: pip install a_package_that_is_not_there",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_broken_is_found_and_said_with_a_mend(
    tmp_path: Path, what: str, request: pytest.FixtureRequest
) -> None:
    changes, words = BROKEN[what]
    if "inversion" in words:  # which cannot be posed without the weights of its classifier
        request.getfixturevalue("paper_data")
    found = complaints_of(tmp_path, *changes)
    assert re.search(words, found), found


def test_an_input_that_is_fitted_and_drawn_from_its_stream_is_right(tmp_path: Path) -> None:
    fitted = (RETURN, "return FittedInput(Net(problem.shape[0]), z), torch.zeros_like(z)")
    assert complaints_of(tmp_path, fitted, ("import noise_input", "import FittedInput, noise_input")) == ""


@pytest.mark.parametrize("cast", ["double()", "mul(99).long()", "half()"])
def test_an_input_of_another_type_is_taken_as_a_fit_takes_it(tmp_path: Path, cast: str) -> None:
    assert complaints_of(tmp_path, (RETURN, f"return Net(problem.shape[0]), z.{cast}")) == ""


def test_what_a_prior_sets_of_the_process_as_it_builds_reaches_neither_its_fit_nor_who_checks_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    sets = "torch.set_default_dtype(torch.float64); torch.set_grad_enabled(False); sys.path.append('x')"
    assert complaints_of(tmp_path, ("        z = noise", f"        {sets}\n        z = noise")) == ""
    assert (torch.get_default_dtype(), torch.is_grad_enabled(), "x" in sys.path) == (torch.float32, True, False)


@pytest.mark.parametrize("norm", ["", "nn.BatchNorm2d(8), "])
def test_weights_that_are_kept_in_a_global_are_accused_of_nothing_else(tmp_path: Path, norm: str) -> None:
    kept = (RETURN, "return NET.setdefault(problem.shape, Net(problem.shape[0])), z")
    changes = [("KEPT: list", "NET: dict[Any, Any] = {}\nKEPT: list"), kept, ("nn.LeakyReLU", norm + "nn.LeakyReLU")]
    found = complaints_of(tmp_path, *changes)
    two = "two images after each other are restored as each alone"
    assert {re.sub(r"^WRONG  (\w+: )?", "", line).partition(":")[0] for line in found.split("\n")} == {
        "the same seed gives the same estimates",
        two,
    }
    untried = {each.what: each.untried for each in checked("method", f"{tmp_path}/wrong.py")}
    for what in ("the truth is out of its reach", "it goes on from a checkpoint as if it had not stopped"):
        assert untried[what] == "two runs of the same measurement differ already, as a line above says"
    held = complaints_of(tmp_path, *changes, ("NET: dict", "TRUTH = [picture(3, 64, 64)]\nNET: dict"),
                         ("return NET", "z = z + TRUTH[0].mean()\n        return NET"))  # fmt: skip
    assert "the truth is out of its reach: its code holds a picture, 'TRUTH[0]'" in held


def test_an_error_that_no_line_of_the_plugin_raised_is_said_with_a_mend(tmp_path: Path) -> None:
    found = complaints_of(tmp_path, ("    iterations:", "    most_gigabytes = None\n    iterations:"))
    assert re.fullmatch(
        r"WRONG  it takes the time and the memory that it declares: TypeError: .* \(_keeps_its_budget, line .*\): "
        "no line of your files raised it, so it comes of what they give or keep: mend what is wrong above first",
        found,
    )


def test_a_loss_that_is_not_finite_is_accused_of_nothing_else(tmp_path: Path) -> None:
    loss = """    def loss(self, output: Tensor, problem: Problem) -> Tensor:
        return problem.misfit(output).sub(1000.0).sqrt()

"""
    found = complaints_of(tmp_path, (BUILD, loss + BUILD))
    assert all(re.match(r"WRONG  \w+, \d+x\d+x\d+: .*an estimate that is not fin", line) for line in found.split("\n"))


def test_a_setting_that_is_nan_is_the_same_in_another_process(tmp_path: Path) -> None:
    setting = ("    iterations:", '    shift: float = float("nan")  # of nothing\n    iterations:')
    assert complaints_of(tmp_path, setting) == ""
    loses = "    def __reduce__(self):\n        return type(self), (self.shift, self.iterations + 1)\n\n"
    assert "it is not the same when it comes from another process" in complaints_of(
        tmp_path, setting, (BUILD, loses + BUILD)
    )


def test_where_no_output_is_finite_no_seed_is_told_from_another(tmp_path: Path) -> None:
    found = complaints_of(tmp_path, (FORWARD, "return self.body(z).sigmoid() * torch.nan"))
    assert all(re.match(r"WRONG  \w+, \d+x\d+x\d+: .*an estimate that is not fin", line) for line in found.split("\n"))
    untried = {each.what: each.untried for each in checked("method", f"{tmp_path}/wrong.py")}
    assert "its estimates are not finite" in untried["another seed gives other estimates, where it draws"]


def test_a_broken_run_is_said_once_and_not_in_every_line(tmp_path: Path) -> None:
    found = complaints_of(tmp_path, (FORWARD, "return self.body(z)[0, 0, 0, :3, 7:]"))
    assert all(re.match(r"WRONG  \w+, \d+x\d+x\d+: ", line) for line in found.split("\n")), found
    untried = {each.what: each.untried for each in checked("method", f"{tmp_path}/wrong.py") if each.untried}
    assert untried["denoising: the same seed gives the same estimates"] == "the run on this task fails"
    assert untried["it goes on from a checkpoint as if it had not stopped"] == "the run on the first task fails"


def test_an_attribute_that_is_misspelt_is_one_fault_and_no_hint_at_odd_sides_or_pictures_comes_with_it(
    tmp_path: Path,
) -> None:
    found = complaints_of(tmp_path, (RETURN, "return Net(problem.shap[0]), z"))
    (said,) = {line.partition(": refuses in words, or estimates the image: ")[2] for line in found.split("\n")}
    assert re.fullmatch(
        r"AttributeError: 'Problem' object has no attribute 'shap' \(build, line \d+ of .*wrong\.py\): "
        r"mend that, or have refuses\(\) give a reason",
        said,
    )


TASK = '''"""A task whose operator has the truth."""

from dataclasses import dataclass

from torch import Tensor

from dipbench.contract import Problem, Scene, Task
from dipbench.operators import LinearOperator
from dipbench.scoring import Protocol
from dipbench.streams import Streams


@dataclass(frozen=True, eq=False)
class Halving(LinearOperator):
    """Half the light."""

    kept: object = None

    def __call__(self, image: Tensor) -> Tensor:
        return image / 2

    def adjoint(self, measured: Tensor) -> Tensor:
        return measured / 2


@dataclass(frozen=True)
class Leaking(Task):
    """Brightens what is dark."""

    def degrade(self, scene: Scene, rng: Streams) -> Problem:
        dark = scene.image / 2
        return Problem("leaking", dark, Halving(KEPT), tuple(dark.shape))

    def pose(self, measurement: Tensor) -> Problem:
        return Problem("leaking", measurement, Halving(), tuple(measurement.shape))

    def protocol(self) -> Protocol:
        return Protocol()
'''


@pytest.mark.parametrize(
    ("kept", "way"),
    [
        ("scene", r"problem\.operator\.kept\.image is the truth"),
        ("lambda x: scene.image", r"problem\.operator\.kept.*image is the truth"),
        ('{"first": [scene.image.numpy()]}', r"problem\.operator\.kept\['first'\]\[0\] is the truth"),
        ("None", ""),
    ],
)
def test_a_problem_has_no_way_to_the_truth(complaints: Complaints, tmp_path: Path, kept: str, way: str) -> None:
    found = complaints("task", tmp_path / "leaking.py", TASK.replace("KEPT", kept))
    assert (re.search(way, found) and "a method may read it" in found) if way else not found, found
