"""The contract over every plugin found, and every way to break it that a plugin was seen to take."""

import re
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from dipbench import registry
from dipbench.bases.learned import Learned
from dipbench.cli.main import app
from dipbench.data.collection import Collection
from dipbench.errors import UserError
from dipbench.running.check import CHECKS, Checked, checked, kind_of, methods, patience, told
from dipbench.running.check.trying import SIZES, alike, not_posed, problems
from dipbench.tasks.denoising import Denoising

FOUND = [(kind, name) for kind in CHECKS for name in registry.names(kind)]


@pytest.mark.parametrize(("kind", "name"), FOUND)
def test_every_plugin_keeps_the_contract(kind: str, name: str, request: pytest.FixtureRequest) -> None:
    looks_through = "classifier" in registry.setting_names(kind, name)  # weights, as those that have learned
    if looks_through or issubclass(registry.find(kind, name), (Collection, Learned)):
        request.getfixturevalue("paper_data")
    if (kind, name) in (("dataset", "folder"), ("method", "files")):
        pytest.skip("without the folder that it reads there is nothing to try")
    complaints = [str(each) for each in checked(kind, name) if each.complaint]
    assert not complaints, "\n".join(complaints)


METHOD = '''"""A method that breaks the contract."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from dipbench.contract import Method, PositiveInt, Problem
from dipbench.streams import Streams

ELSEWHERE = torch.Generator()


@dataclass(frozen=True)
class Wrong(Method):
    """Is wrong."""

    count: PositiveInt = 1  # of nothing

    def refuses(self, problem: Problem) -> str | None:
        return None

    def run(self, problem: Problem, rng: Streams) -> Iterator[Tensor]:
        yield problem.degraded()
'''


@pytest.mark.parametrize(
    ("right", "wrong", "complaint"),
    [
        ("return None\n", 'return "not today"\n', "takes a problem of some task: it refuses all: .*: not today"),
        ("return None\n", "return True\n", r"3x64x64: .*: its refuses\(\) gave True: it must give a reason, or None"),
        ("return None\n", 'return "" if problem.sigma else None\n', "refuses without a word"),
        (
            "degraded()\n",
            "degraded()[:, :-1]\n",
            r"an estimate of shape \(3, 63, 64\) on cpu: it must be \(3, 64, 64\)",
        ),
        (
            "degraded()\n",
            "degraded().numpy()\n",
            r"yielded ndarray of shape \(3, 64, 64\): an estimate must be a tensor",
        ),
        ("degraded()\n", "degraded().int()\n", "yielded a tensor of torch.int32"),
        ("degraded()\n", "degraded() * 2 - 1\n", "an estimate with much below 0, down to -.*: black"),
        ("degraded()\n", "degraded() / 0\n", "an estimate that is not finite"),
        ("yield problem", "if False: yield problem", "it yielded no estimate"),
        ("degraded()\n", "measurement.mul_(0.5) + 0 * problem.degraded()\n", "it wrote to problem.measurement"),
        (
            "degraded()\n",
            "degraded() + torch.rand((), generator=ELSEWHERE)\n",
            "draws from somewhere else than `rng`",
        ),
        ("yield problem", "yield self.nothing", "AttributeError: 'Wrong' object has no attribute 'nothing'"),
        ("yield problem", "while True: yield problem", "3x64x64: .*: after 1001 estimates .* goes on"),
        (
            "yield problem",
            "torch.manual_seed(0)\n        yield 0.1 * rng.torch('x').initial_seed() % 1 + problem",
            "another seed gives other estimates, where it draws: it seeds torch's, .*: take rng.torch",
        ),
        ("  # of nothing", "", "settings without a type or a comment on their line: count"),
        ("Is wrong.", "Is wrong", "its docstring does not begin with a sentence"),
    ],
)
def test_a_method_that_breaks_the_contract_is_found(tmp_path: Path, right: str, wrong: str, complaint: str) -> None:
    assert right in METHOD
    (tmp_path / "wrong.py").write_text(METHOD.replace(right, wrong))
    found = "\n".join(str(each) for each in checked("method", f"{tmp_path}/wrong.py") if each.complaint)
    assert re.search(complaint, found), found


def test_what_a_problem_has_of_nan_was_not_written_by_the_method() -> None:
    problem = replace(problems()["denoising"], known=torch.full((1, 64, 64), torch.nan))
    assert methods.complaint_about(registry.build("method", "degraded"), problem) == ""


@pytest.mark.parametrize("first", [torch.tensor([0.0, 1.0]), torch.tensor([torch.inf, 1.0]), torch.ones(3)])
def test_nan_is_the_same_as_nan_alone(first: torch.Tensor) -> None:
    holed = torch.tensor([torch.nan, 1.0])
    assert alike(holed, holed.clone())
    assert alike(first, first.clone())
    assert not alike(first, holed)


def test_settings_are_tried_as_given_but_those_that_make_it_small(tmp_path: Path) -> None:
    text = METHOD.replace("    count:", '    shade: Literal["grey", "white"] = "grey"  # of what it makes\n    count:')
    text = text.replace("from torch import", "from typing import Literal, Self\n\nfrom torch import")
    text = text.replace(
        "yield problem", "assert self.count == 2\n        yield (255 if self.shade == 'white' else 1) * problem"
    )
    (tmp_path / "wrong.py").write_text(
        text + "\n    @classmethod\n    def tiny(cls) -> Self:\n        return cls(count=2)\n"
    )

    def found(settings: str) -> str:
        return "\n".join(str(each) for each in checked("method", f"{tmp_path}/wrong.py{settings}") if each.complaint)

    assert found("") == found("[count=9]") == found("[shade=grey]") == ""
    assert "divide by 255" in found("[count=9,shade=white]")
    with pytest.raises(UserError, match="shade must be 'grey' or 'white', got 'red'"):
        found("[shade=red]")


@pytest.mark.parametrize(
    "written", ["self_guided[variant=handbook]", "aseqdip[network=skip]", "sure_ste[drawn=false]", "dip[norm=group]"]
)
def test_variants_of_methods_keep_the_contract(written: str) -> None:
    complaints = [str(each) for each in checked(kind_of(written), written) if each.complaint]
    assert not complaints, "\n".join(complaints)


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for size in SIZES:
        problems(size)  # once a process, which may take longer than that
    monkeypatch.setattr(patience, "PATIENCE", 2.0)


@pytest.mark.usefixtures("_impatient")
def test_a_method_that_hangs_is_found_where_it_does_and_tried_no_further(tmp_path: Path) -> None:
    hanging = METHOD.replace("yield problem", "while torch.rand(()) < 2: pass\n        yield problem")
    (tmp_path / "wrong.py").write_text(hanging.replace("    count:", "    most_seconds = 0.25\n    count:"))
    first, *others = [each for each in checked("method", f"{tmp_path}/wrong.py") if each.said]
    assert re.search(
        r"after 2 s of a processor it is still at work \(run, line 26 of .*wrong.py\): it must end", first.complaint
    )
    assert others
    assert not any(each.complaint for each in others)
    assert str(others[-1]) == f"-----  {others[-1].what}: not tried, because it does not end"


@pytest.mark.usefixtures("_impatient")
def test_a_method_whose_refusal_hangs_is_found_though_it_catches_what_it_can(tmp_path: Path) -> None:
    hanging = (
        METHOD.replace("    count:", "    most_seconds = 0.01\n    count:")
        + """
    def refuses(self, problem: Problem) -> str | None:
        while True:
            try:
                problem.measurement.sum()
            except Exception:
                pass
"""
    )
    (tmp_path / "wrong.py").write_text(hanging)
    first, *others = [str(each) for each in checked("method", f"{tmp_path}/wrong.py")][1:]
    assert re.search(r"after 2 s of a processor it is still at work \(refuses, line \d+ of .*wrong.py\): it mus", first)
    assert all("not tried" in complaint for complaint in others)


@pytest.mark.usefixtures("_impatient")
def test_a_rule_that_hangs_is_found(tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text('''"""A rule that hangs."""

from dataclasses import dataclass

from dipbench.contract import Nomination, Rule, Trace


@dataclass(frozen=True)
class Waiting(Rule):
    """Waits for what never comes."""

    def judge(self, trace: Trace) -> Nomination:
        while True:
            pass
''')
    first, *others = [each for each in checked("rule", f"{tmp_path}/wrong.py") if each.said]
    assert re.search(r"after 2 s of a processor it is still at work \(judge, line \d+ of .*wrong.py\)", first.complaint)
    assert others
    assert {each.untried for each in others} == {"it does not end"}


def test_an_estimate_in_double_precision_is_taken_as_a_run_takes_it(tmp_path: Path) -> None:
    (tmp_path / "double.py").write_text(METHOD.replace("degraded()\n", "degraded().double()\n"))
    assert not [str(each) for each in checked("method", f"{tmp_path}/double.py") if each.complaint]


TASK = '''"""A task that breaks the contract."""

from dataclasses import dataclass

import torch
from torch import Tensor

from dipbench.contract import Problem, Scene, Task
from dipbench.operators import LinearOperator
from dipbench.scoring import Protocol
from dipbench.streams import Streams


@dataclass(frozen=True)
class Halving(LinearOperator):
    """Half the light."""

    def __call__(self, image: Tensor) -> Tensor:
        return image / 2

    def adjoint(self, measured: Tensor) -> Tensor:
        return measured / 2


@dataclass(frozen=True)
class Darkening(Task):
    """Brightens what is dark."""

    def degrade(self, scene: Scene, rng: Streams) -> Problem:
        return self.pose(scene.image / 2)

    def pose(self, measurement: Tensor) -> Problem:
        channels, height, width = measurement.shape
        return Problem("darkening", measurement, Halving(), (channels, height, width))

    def protocol(self) -> Protocol:
        return Protocol()
'''


@pytest.mark.parametrize(
    ("right", "wrong", "complaint"),
    [
        ("measured / 2", "measured", "its operator's adjoint is none"),
        ("scene.image / 2)", "scene.image.div_(2) + 0)", "it wrote to the image"),
        ("scene.image / 2)", "scene.image / 2 + torch.rand(()))", "draws from somewhere else than `rng`"),
        (
            "scene.image / 2)",
            "scene.image / 2 + torch.rand((), generator=torch.Generator().manual_seed(rng.integer('x') * 0)))",
            "it draws, and yet another seed gives the same problem",
        ),
        (
            "return self.pose(scene",
            "torch.manual_seed(0)\n        return self.pose(torch.rand(()) * scene",
            "draws from somewhere else than `rng`: from the global generator",
        ),
        ("(channels, height, width))", "(channels, width, height))", "the shape sought is"),
        ("return image / 2", "return image[..., ::2]", "its operator makes another shape"),
    ],
)
def test_a_task_that_breaks_the_contract_is_found(tmp_path: Path, right: str, wrong: str, complaint: str) -> None:
    file = f"{tmp_path}/darkening.py"
    Path(file).write_text(TASK)
    assert not [str(each) for each in checked("task", file) if each.complaint]
    assert right in TASK
    Path(file).write_text(TASK.replace(right, wrong))
    found = "\n".join(str(each) for each in checked("task", file) if each.complaint)
    assert complaint in found, found


def test_a_measurement_that_is_not_finite_is_accused_of_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "darkening.py").write_text(TASK.replace("scene.image / 2)", "scene.image * torch.nan)"))
    found = [each for each in checked("task", f"{tmp_path}/darkening.py") if each.complaint]
    assert {each.complaint for each in found} == {"the measurement is not finite in torch.float32"}
    assert all(each.what.endswith("poses a problem") for each in found)


def test_examples_of_the_readme_keep_the_contract(tmp_path: Path) -> None:
    folder = next(Path(place) for place in import_module("dipbench.methods").__path__)
    examples = re.findall(r"```python\n(.*?)```", (folder / "README.md").read_text(), re.DOTALL)
    assert len(examples) == 3
    for number, example in enumerate(examples):
        file = tmp_path / f"example{number}.py"
        file.write_text(example.replace("PositiveInt = 3000", "PositiveInt = 2").replace("= 64  #", "= 4  #"))
        assert not [str(each) for each in checked("method", str(file)) if each.complaint]


def test_command_says_each_check_and_ends_with_2_where_one_fails(tmp_path: Path) -> None:
    right = CliRunner().invoke(app, ["check", "denoising"])
    assert right.exit_code == 0, right.output
    assert "right  the measurement depends on the seed alone" in right.output
    assert right.output.endswith("\nit keeps the contract\n")
    (tmp_path / "wrong.py").write_text(METHOD.replace("degraded()\n", "degraded() / 0\n"))
    wrong = CliRunner().invoke(app, ["check", f"{tmp_path}/wrong.py"])
    assert wrong.exit_code == 2
    assert "WRONG  deblurring, 3x64x64: refuses in words, or estimates the image: an estimate that is" in wrong.output
    assert wrong.output.count("an estimate that is not finite") == 1, "one fault is said once"
    assert "WRONG  denoising, 3x69x70: refuses in words, or estimates the image: the same as above" in wrong.output


def test_a_task_that_is_not_here_is_neither_right_nor_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reason = "file of weights 'small' is not here"
    monkeypatch.setattr(methods, "not_posed", lambda: {"inversion": reason, "maximization": reason})
    file = tmp_path / "made.py"
    file.write_text(METHOD)
    right = CliRunner().invoke(app, ["check", str(file)])
    assert right.exit_code == 0, right.output
    what = "refuses in words, or estimates the image"
    assert f"-----  inversion: {what}: not tried, because {reason}\n" in right.output
    assert f"-----  maximization: {what}: the same as above\n" in right.output
    assert right.output.endswith("\nit keeps the contract, as far as it was tried: 2 lines were not\n")
    file.write_text(METHOD.replace("    count: PositiveInt = 1  # of nothing", "    count: PositiveInt = 1"))
    wrong = CliRunner().invoke(app, ["check", str(file)])
    assert wrong.exit_code == 2
    assert wrong.output.endswith("\n1 wrong, 2 not tried\n")


def test_one_line_that_was_not_tried_is_counted_in_the_singular() -> None:
    *_, last = told([Checked("runs"), Checked("goes on", untried="there is nothing after it")])
    assert last == "it keeps the contract, as far as it was tried: 1 line was not"


def test_kind_is_found_by_name_and_by_file(tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text(METHOD)
    assert (kind_of("dip"), kind_of("set5"), kind_of(f"{tmp_path}/wrong.py")) == ("method", "dataset", "method")
    assert (kind_of("jitter"), kind_of("loss"), kind_of("fixed")) == ("trick", "signal", "rule")
    with pytest.raises(UserError, match=r"unknown method or .* or validation 'jiter': did you mean 'jitter'"):
        kind_of("jiter")
    with pytest.raises(UserError, match="unknown rule 'fixd': did you mean 'fixed'"):
        kind_of("fixd", "rule")
    with pytest.raises(UserError, match="'this_process' is of kind executor: it takes method, dataset, task"):
        kind_of("this_process")
    with pytest.raises(UserError, match="unknown kind of plugin 'rules': did you mean 'rule'"):
        kind_of("fixed", "rules")
    (tmp_path / "half.py").write_text(METHOD.replace("def run(", "def runs("))
    with pytest.raises(UserError, match=r"half\.py' holds no plugin that is whole: 'Wrong' lacks run\(\)"):
        kind_of(f"{tmp_path}/half.py")
    (tmp_path / "nothing.py").write_text('"""Nothing."""')
    with pytest.raises(UserError, match=r"nothing\.py' holds no plugin: it takes a subclass of Method, Dataset, .*"):
        kind_of(f"{tmp_path}/nothing.py")


def test_of_several_kinds_one_is_to_be_said(tmp_path: Path) -> None:
    """A file with a prior and a trick of its own, for one."""
    trick = '\n\n@dataclass(frozen=True)\nclass Still(Trick):\n    """Does nothing."""\n'
    file = tmp_path / "both.py"
    file.write_text(METHOD.replace("PositiveInt, Problem", "PositiveInt, Problem, Trick") + trick)
    with pytest.raises(UserError, match=r"both\.py' is a method and a trick: say which kind is meant"):
        kind_of(str(file))
    assert kind_of(str(file), "trick") == "trick"
    said = CliRunner().invoke(app, ["check", str(file), "--kind", "trick"])
    assert said.exit_code == 0, said.output
    assert "right  goes on from a checkpoint" in said.output


def test_a_task_that_could_not_be_posed_is_posed_once_it_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """As when its weights were fetched in between."""

    def missing(*_: object) -> None:
        raise UserError("its weights are not here")

    size = (3, 34, 34)  # that nothing else is tried on, for what was posed is kept
    with monkeypatch.context() as patch:
        patch.setattr(Denoising, "degrade", missing)
        assert not_posed(size)["denoising"] == "its weights are not here"
        assert "denoising" not in problems(size)
    assert "denoising" in problems(size)
    assert "denoising" not in not_posed(size)
