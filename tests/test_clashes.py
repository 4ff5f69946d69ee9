"""Names of a plugin that are those of something else in the contract: refused where the class is made."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest
from test_registry import FILE
from torch import Tensor

from dipbench import registry
from dipbench.bases.by_task import examples
from dipbench.bases.learned import Learned
from dipbench.contract import Dataset, FitSettings, Method, Noise, Prior, Problem, Rule, Task, Trick, Validation
from dipbench.errors import UserError
from dipbench.streams import Streams
from dipbench.trace.rules.wmv import Wmv
from dipbench.trace.signals import Signal


def defined(base: type, annotations: dict[str, Any] | None = None, **content: Any) -> type:
    """A class `Mine` of that base, as a class statement makes it."""
    return type("Mine", (base,), {"__annotations__": annotations or {}, "__module__": __name__, **content})


@pytest.mark.parametrize(
    ("base", "name", "hint"),
    [
        *((Prior, name, float) for name in ("stop", "validation", "held", "resolved", "loss", "estimate", "fitted")),
        *((Method, name, "str") for name in ("source", "settings", "identity", "refuses", "kind", "written", "run")),
        *((Method, name, int) for name in ("version", "paper", "licence", "summary", "plugin_name", "tiny")),
        (Prior, "stop", "int | None"),
        (Prior, "stop", Validation | None),
        (Prior, "held", str),
        (Dataset, "names", tuple[str, ...]),
        (Dataset, "side", float),
        (Task, "pose", str),
        (Noise, "add", float),
        (Rule, "judge", str),
        (Trick, "before", int),
        (Validation, "apart", float),
        (Signal, "title", str),
        (Learned, "weights", Path),
    ],
)
def test_a_setting_with_the_name_of_something_else_is_refused(base: type, name: str, hint: Any) -> None:
    said = f"setting '{name}' of Mine has the name of something of the contract: give it another name"
    with pytest.raises(UserError, match=said):
        defined(base, {name: hint}, **{name: 1})


def test_also_in_what_a_class_is_mixed_with() -> None:
    @dataclass(frozen=True)
    class Common:
        kind: str = "median"

    with pytest.raises(UserError, match="setting 'kind' of Mine has the name"):
        type("Mine", (Common, Method), {})


@pytest.mark.parametrize(
    ("base", "content"),
    [
        (Method, {"kind": "median"}),
        (Method, {"settings": {"radius": 3}}),
        (Method, {"version": lambda self: 2}),
        (Prior, {"stop": lambda self: 100}),
    ],
)
def test_a_value_for_a_method_and_a_method_for_a_value_are_refused(base: type, content: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=f"^'{next(iter(content))}' of Mine has the name of something of the contract"):
        defined(base, **content)


def test_what_the_contract_leaves_to_a_plugin_is_its_own() -> None:
    """Facts and methods of its own, settings declared again with other defaults or fewer values."""

    class Mine(Prior):
        paper = "doi:10.1000/1"
        version = 2
        licence: ClassVar[str] = "MIT"
        only_pictures: "ClassVar[bool]" = True

        stop: Rule | None = field(default=None, kw_only=True)
        held: "tuple[str, ...]" = field(default=("weights",), kw_only=True)
        radius: int = 3

        def loss(self, output: Tensor, problem: Problem) -> Tensor:
            return problem.misfit(output)

        def settings(self) -> dict[str, Any]:
            return super().settings()

    class Narrower(Mine):
        stop: Wmv = field(default=Wmv(), kw_only=True)

    class Photos(Dataset):
        side: Literal[256, 512] = 256

    class Grain(Noise):
        sigma: float = 0.1  # a property of the contract, which says nothing until a noise does

    assert (Mine.paper, Mine.version) == ("doi:10.1000/1", 2)


def test_a_setting_of_a_base_takes_its_type_or_python_ignores_the_value() -> None:
    deep_decoder = registry.find("method", "deep_decoder")
    said = "^Mine sets a setting without its type, which is ignored: write iterations: .*int.* = 500$"
    with pytest.raises(UserError, match=said):
        defined(deep_decoder, iterations=500)
    common = type("Common", (), {"iterations": 500})
    with pytest.raises(UserError, match=said):
        type("Mine", (common, deep_decoder), {"__module__": __name__})
    defined(deep_decoder, {"iterations": int}, iterations=500)
    defined(deep_decoder, {"iterations": ClassVar[int]}, iterations=500)  # no setting any more, and it acts
    type("Mine", (common, deep_decoder), {"__module__": __name__, "__annotations__": {"iterations": int}})
    dataclass(frozen=True, slots=True)(defined(deep_decoder, {"width": int}, width=3))


@pytest.mark.parametrize("text", ["from __future__ import annotations\n", ""])
def test_a_file_says_so_and_not_that_it_holds_nothing(tmp_path: Path, text: str) -> None:
    wrong = FILE.split('"""', 2)[2].replace("times", "kind").replace("/ 2", "/ 3")
    (tmp_path / "half.py").write_text(text + wrong)
    with pytest.raises(UserError, match=r"^setting 'kind' of Half has the name of something of the contract: give it"):
        registry.find("method", f"{tmp_path}/half.py")


def test_a_setting_called_name_does_not_hide_what_a_plugin_is() -> None:
    @dataclass(frozen=True)
    class Grain(Noise):
        name: str = "fine"  # of a table

        def add(self, clean: Tensor, rng: Streams) -> Tensor:
            return clean

    identity = Grain().identity()
    assert identity["name"] == Grain.plugin_name() != "fine"
    assert "fine" in identity.values()


def test_a_setting_of_ones_own_named_as_one_of_the_fit_counts() -> None:
    @dataclass(frozen=True)
    class Clipped(Prior):
        clip: float | None = 0.1  # of the gradients
        average: float = 0.9

        def build(self, problem: Problem, rng: Streams) -> Any: ...

        def fit_settings(self, problem: Problem) -> FitSettings:
            return FitSettings(average=self.average)

    problem = examples()["denoising"]
    named = Clipped().resolved(problem)
    assert (named["clip"], named["own clip"], named["average"]) == (False, 0.1, 0.9)
    assert "own average" not in named
    assert Clipped(clip=0.2).resolved(problem) != named
    assert "own clip" not in Clipped(clip=None).resolved(problem), "none is given"
