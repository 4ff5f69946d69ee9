"""Methods that Python hands over: classes and functions as they stand in the cells of a notebook."""

import itertools
import linecache
import sys
from collections.abc import Callable
from importlib import reload
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from test_registry import FILE

import dipbench
from dipbench import registry
from dipbench.errors import UserError
from dipbench.registry.finding import GIVEN
from dipbench.registry.sources import typed_hash

Notebook = Callable[[str], dict[str, Any]]

CLASS = FILE.split('"""', 2)[2].replace("class Half", "class Mine")
NET = """
import torch
from torch import nn

WIDTH = 4

def block(channels):
    return nn.Sequential(nn.Conv2d(32, WIDTH, 3, padding=1), nn.ReLU(), nn.Conv2d(WIDTH, channels, 1), nn.Sigmoid())

def small(channels):
    return block(channels)
"""
SMALL = {"only": ["denoising", "chelsea"], "scale": "smoke", "device": "cpu"}


@pytest.fixture
def notebook() -> Notebook:
    """Runs a cell as IPython does: its source has a name that is no file, and what is in it is __main__'s."""
    names: dict[str, Any] = {"__name__": "__main__"}
    numbers = itertools.count()

    def run(cell: str) -> dict[str, Any]:
        file = f"<cell-{id(names)}-{next(numbers)}>"
        linecache.cache[file] = (len(cell), None, cell.splitlines(True), file)
        exec(compile(cell, file, "exec"), names)
        return names

    return run


def source_of(method: Any) -> str | None:
    (text,) = registry.as_text("method", [method])
    return registry.build("method", text).source()


def test_a_class_of_a_cell_runs_under_its_name(notebook: Notebook, tmp_path: Path) -> None:
    mine = notebook(CLASS)["Mine"]
    results = dipbench.run("quickstart", methods=[mine, mine(times=2), "degraded"], out=tmp_path, **SMALL)
    found = results[results["method"].str.startswith(("Mine", "degraded"))]
    assert set(found["method"]) == {"Mine", "Mine[times=2]", "degraded"}
    assert set(found["status"]) == {"done"}


def test_a_function_makes_a_prior_that_is_fitted_and_kept(notebook: Notebook, tmp_path: Path) -> None:
    prior = dipbench.prior(notebook(NET)["small"], iterations=5, jitter=0.05)
    asked = {**SMALL, "only": ["denoising", "chelsea", "small*"], "out": tmp_path}
    results = dipbench.run("quickstart", methods=[prior], settings=["small.iterations=6"], **asked)
    assert set(results["method"]) == {"small[iterations=6,jitter=0.05]"}
    assert {"final", "ema", "best"} <= set(results["output"])
    assert results["iteration"].max() == 5
    again = dipbench.run("quickstart", methods=[prior], settings=["small.iterations=6"], **asked)
    assert set(again["run"]) == set(results["run"])


def test_settings_are_taken_as_numpy_counts_them_and_rules_as_they_are_written(notebook: Notebook) -> None:
    small = notebook(NET)["small"]
    made = dipbench.prior(small, iterations=np.int64(5), stop="wmv[window=9]")
    assert made.stop == registry.build("rule", "wmv[window=9]")
    assert registry.as_text("method", [made]) == ['small[stop="wmv[window=9]",iterations=5]']


def test_the_classes_of_networks_and_functions_of_the_problem_make_priors(notebook: Notebook) -> None:
    cell = notebook(
        NET
        + """
class Net(nn.Module):
    def __init__(self, channels, width=4):
        super().__init__()
        self.body = nn.Conv2d(32, channels, 1)

    def forward(self, z):
        return self.body(z).sigmoid()

def of_problem(problem, rng):
    return Net(problem.shape[0]), torch.rand(1, 32, *problem.shape[1:], generator=rng.torch("input"))
"""
    )
    for build in (cell["Net"], cell["of_problem"], cell["small"]):
        found = dipbench.check(dipbench.prior(build, iterations=7))
        assert not found["complaint"].any(), found
        assert str(found).endswith(
            "\nright  it goes on from a checkpoint as if it had not stopped\nit keeps the contract"
        )
        assert "it goes on from a checkpoint as if it had not stopped" in set(found["what"])


def test_check_finds_weights_that_a_function_keeps(notebook: Notebook) -> None:
    cell = notebook(NET + "\n@__import__('functools').cache\ndef kept(channels):\n    return block(channels)\n")
    found = dipbench.check(dipbench.prior(cell["kept"]))
    wrong = found[found["complaint"] != ""]["what"].tolist()
    assert "two images after each other are restored as each alone" in wrong
    assert "\nWRONG  two images after each other are restored as each alone: " in str(found)
    untried = found[found["untried"] != ""]["what"].tolist()
    assert "the truth is out of its reach" in untried
    assert str(found).endswith(f"\n{len(wrong)} wrong, {len(untried)} not tried")


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ("WIDTH = 4", "WIDTH = 5", False),
        ("nn.ReLU()", "nn.GELU()", False),
        ("return block(channels)", "return block(channels)  # said", False),
        ("WIDTH = 4", "WIDTH = 4\nOTHER = 5", True),
    ],
)
def test_the_source_with_what_it_takes_from_around_it_is_its_identity(
    notebook: Notebook, before: str, after: str, same: bool
) -> None:
    first = source_of(dipbench.prior(notebook(NET)["small"]))
    second = source_of(dipbench.prior(notebook(NET.replace(before, after))["small"]))
    assert first is not None
    assert (first == second) == same


def test_an_edited_class_and_a_setting_it_closes_over_are_others(notebook: Notebook) -> None:
    sources = {
        source_of(notebook(text)["Mine"])
        for text in (CLASS, CLASS.replace("/ 2", "/ 3"), "F = 2\n" + CLASS.replace("/ 2", "/ F"), CLASS)
    }
    assert len(sources) == 3


def test_what_a_function_closes_over_counts(notebook: Notebook) -> None:
    maker = notebook(
        NET
        + """
def maker(n):
    def net(channels):
        return block(channels * n)
    return net
"""
    )["maker"]
    assert typed_hash(maker(1)) == typed_hash(maker(1)) != typed_hash(maker(2))


def test_a_module_of_the_users_own_counts_by_its_code(
    notebook: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    sources = []
    for text in ("F = 2\n", "F = 3\n"):
        (tmp_path / "my_numbers.py").write_text(text)
        sys.modules.pop("my_numbers", None)
        sources.append(source_of(notebook("import my_numbers\n" + CLASS.replace("/ 2", "/ my_numbers.F"))["Mine"]))
    sys.modules.pop("my_numbers", None)
    assert sources[0] != sources[1]


@pytest.mark.parametrize("number", ["FACTOR = 2", "class Of:\n    def factor(self): return 2"])
def test_a_module_of_the_users_own_that_was_edited_and_not_reloaded_is_refused(
    notebook: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: str
) -> None:
    """Also what it imports from beside it; a number at the top is in no function."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (tmp_path / "my_help.py").write_text("import my_numbers\n")
    (tmp_path / "my_numbers.py").write_text(f"{number}\n")
    by_module = notebook("import my_help\ndef f(image): return my_help.my_numbers\n")["f"]
    before = typed_hash(by_module)
    (tmp_path / "my_numbers.py").write_text(f"{number.replace('2', '3')}\n")
    with pytest.raises(UserError, match=r"is not what '.*my_numbers.py' says now, .*: reload it"):
        typed_hash(by_module)
    reload(sys.modules["my_numbers"])
    assert typed_hash(by_module) != before
    for name in ("my_help", "my_numbers"):
        del sys.modules[name]


@pytest.mark.parametrize("init", ["", "from .numbers import F"])
@pytest.mark.parametrize("whole", [False, True])
def test_a_package_of_the_users_own_counts_by_all_of_its_code(
    notebook: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, init: str, whole: bool
) -> None:
    """Also by what it imports with a dot, and where it is a folder without an __init__.py."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "my_package").mkdir()
    if whole:
        (tmp_path / "my_package" / "__init__.py").write_text(init)
    sources = []
    for text in ("F = 2\n", "F = 2\n", "F = 3\n"):
        (tmp_path / "my_package" / "numbers.py").write_text(text)
        cell = "import my_package.numbers\n" + CLASS.replace("/ 2", "/ my_package.numbers.F")
        sources.append(source_of(notebook(cell)["Mine"]))
        for name in ("my_package", "my_package.numbers"):
            del sys.modules[name]
    assert sources[0] == sources[1] != sources[2]


SHADES = """
from dataclasses import dataclass

@dataclass(frozen=True)
class Shade:
    by: float
    def on(self, image): return image * self.by

class Plain:
    def __init__(self, by): self.by = by
    def on(self, image): return image * self.by
"""


def test_a_bound_method_counts_with_what_it_is_bound_to(notebook: Notebook) -> None:
    cell = notebook(SHADES)
    hashes = [typed_hash(cell["Shade"](by).on) for by in (0.5, 0.5, 0.9)]
    assert hashes[0] == hashes[1] != hashes[2]
    with pytest.raises(UserError, match="is a Plain from outside the function that takes it"):
        typed_hash(cell["Plain"](0.5).on)
    other = notebook(SHADES.replace("image * self.by", "image / self.by"))
    assert typed_hash(other["Shade"](0.5).on) != hashes[0]


BODY = """
SIZES = [8, 16]

class Sized:
    sizes = tuple(SIZES)
    scale = FACTOR
    def on(self, image): return image
"""
WRAPPED = """
import functools

def times(by):
    def around(function):
        @functools.wraps(function)
        def wrapper(image): return function(image) * by
        return wrapper
    return around

@times(FACTOR)
def halved(image): return image / 2

plain = times(FACTOR)(lambda image: image / 2)
"""


@pytest.mark.parametrize(
    ("cell", "name", "before", "after"),
    [
        (BODY, "Sized", "FACTOR = 2", "FACTOR = 3"),
        (BODY, "Sized", "[8, 16]", "[8, 32]"),
        (WRAPPED, "halved", "FACTOR = 2", "FACTOR = 3"),
        (WRAPPED, "halved", "(image) * by", "(image) / by"),
        (WRAPPED, "halved", "image / 2\n\nplain", "image / 4\n\nplain"),
        (WRAPPED, "plain", "(image) * by", "(image) / by"),
        (WRAPPED, "plain", "FACTOR = 2", "FACTOR = 3"),
    ],
)
def test_what_a_class_takes_into_its_body_and_a_decorator_count(
    notebook: Notebook, cell: str, name: str, before: str, after: str
) -> None:
    text = "FACTOR = 2\n" + cell
    assert before in text
    once, again, edited = (typed_hash(notebook(each)[name]) for each in (text, text, text.replace(before, after)))
    assert once == again != edited


def test_what_else_stands_on_the_line_of_a_lambda_does_not_count(notebook: Notebook) -> None:
    """As where it is among the methods of a call."""
    text = "import torch\nOTHER = torch.zeros(3)\nBY = 2\nfound = dict(other=OTHER, mine=lambda image: image / BY)\n"
    hashes = [typed_hash(notebook(each)["found"]["mine"]) for each in (text, text.replace("BY = 2", "BY = 3"))]
    assert hashes[0] != hashes[1]


def test_what_a_class_holds_counts_as_it_is_now(notebook: Notebook) -> None:
    cls = notebook("FACTOR = 2\n" + BODY)["Sized"]
    before = typed_hash(cls)
    cls.sizes = (3,)
    assert typed_hash(cls) != before


HOLDS = """
import dataclasses
import enum
import functools
import torch

class Mode(enum.Enum):
    HARD = 1
    SOFT = 2
    def on(self, image): return image

def act(image): return image + BY
def other(image): return image - BY

@dataclasses.dataclass(frozen=True)
class Shade:
    by: int
    def on(self, image): return image * self.by

class Holds:
    __slots__ = ("slot",)
    _scale = BY
    bound = Shade(2).on
    mode = Mode.HARD
    kinds = {"act": act}
    with_it = staticmethod(functools.partial(act, BY))
    _run = act
    class Inner:
        width = 1
    @functools.cached_property
    def cached(self): return 1
    @property
    def asked(self): return 1
    def on(self, image): return image
    def off(self, image): return image
"""


@pytest.mark.parametrize(
    "change",
    [
        "Holds._scale = 3",
        "Holds.mode = Mode.SOFT",
        "Holds.kinds['act'] = other",
        "Holds.with_it = staticmethod(functools.partial(act, 3))",
        "Holds._run = other",
        "Holds.bound = Shade(3).on",
        "Holds.on = other",
        "Holds.Inner.width = 2",
        "Holds.on = staticmethod(torch.sin)",
    ],
)
def test_whatever_a_class_holds_counts_also_what_is_private(notebook: Notebook, change: str) -> None:
    text = f"BY = 2\n{HOLDS}\n"
    once, again, edited = (typed_hash(notebook(each)["Holds"]) for each in (text, text, text + change))
    assert once == again != edited


@pytest.mark.parametrize("value", ["torch.ones(3)", "np.ones(3)", "{'a': torch.ones(3)}"])
@pytest.mark.parametrize("name", ["basis", "_basis"])
def test_what_a_class_holds_and_has_no_source_is_refused_as_what_is_around_it(
    notebook: Notebook, name: str, value: str
) -> None:
    cell = (
        f"import torch\nimport numpy as np\nclass Holds:\n    {name} = {value}\n    def on(self, image): return image\n"
    )
    with pytest.raises(UserError, match=rf"'Holds\.{name}.*' is a (Tensor|ndarray) from outside .*: make it within"):
        typed_hash(notebook(cell)["Holds"])


LINES = """
one = dict(mine=lambda x: x / 2, other=lambda x: x * 3)
two = dict(
    mine=lambda x:
        x / 2,
    other=lambda x: x * 3,
)
three = dict(mine=lambda x: (lambda y: y + x / 2)(x), other=lambda: (lambda: "é", lambda x: x * 3))
four = dict(mine=(lambda k: lambda x: x / 2 if x else k)(1), other=lambda k: lambda x: x * 3)
"""


@pytest.mark.parametrize("name", ["one", "two", "three", "four"])
def test_a_lambda_is_told_from_another_on_its_line_and_by_all_of_its_lines(notebook: Notebook, name: str) -> None:
    once, again, edited = (notebook(each)[name] for each in (LINES, LINES, LINES.replace("x / 2", "x / 5")))
    assert typed_hash(once["mine"]) == typed_hash(again["mine"]) != typed_hash(edited["mine"])
    assert typed_hash(once["mine"]) != typed_hash(once["other"])


def test_a_class_without_functions_counts_by_what_it_holds(notebook: Notebook) -> None:
    """No cell is known of one that IPython made of a cell."""
    text = "class Options:\n    width = 8\n\ndef f(image): return image * Options.width\n"
    hashes = [typed_hash(notebook(each)["f"]) for each in (text, text, text.replace("8", "9"))]
    assert hashes[0] == hashes[1] != hashes[2]


def test_what_was_edited_since_it_was_imported_is_refused(
    notebook: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what stands in the file it would be named, and the code of before would be computed."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    file, text = tmp_path / "my_help.py", "def smooth(image):\n    return image * 0.5\n"
    file.write_text(text)
    by_name = notebook("from my_help import smooth\ndef f(image): return smooth(image)\n")["f"]
    by_module = notebook("import my_help\ndef f(image): return my_help.smooth(image)\n")["f"]
    before = [typed_hash(by_name), typed_hash(by_module)]
    for edited in (text.replace("0.5", "0.9"), "no python", "# said above\n" + text):
        file.write_text(edited)
        for each in (by_name, by_module):
            with pytest.raises(UserError, match=r"'smooth' is not what '.*my_help.py' says now, .*: reload it"):
                typed_hash(each)
    file.write_text(text)
    assert [typed_hash(by_name), typed_hash(by_module)] == before
    sys.modules.pop("my_help")


REFUSED = {
    "a network that is made": (lambda n: dipbench.prior(torch.nn.Conv2d(3, 3, 1)), "Conv2d that is made already"),
    "no name": (lambda n: dipbench.prior(lambda channels: None), "has no name: give one, dipbench.prior"),
    "an argument that is not given": (
        lambda n: dipbench.prior(n("def f(width): return width\n")["f"]),
        "prior's function takes 'width': it is given problem, rng, channels",
    ),
    "a setting that there is not": (
        lambda n: dipbench.prior(n(NET)["small"], steps=3),
        "unknown small setting 'steps': known: average, clip, held, input_channels, iterations, ",
    ),
    "a setting of another type": (
        lambda n: dipbench.prior(n(NET)["small"], iterations="many"),
        "method 'small': iterations must be a valid integer, got 'many'",
    ),
    "a rule that there is not": (
        lambda n: dipbench.prior(n(NET)["small"], stop="wmw"),
        "unknown rule 'wmw': did you mean 'wmv'",
    ),
    "a tensor from around it": (
        lambda n: source_of(dipbench.prior(n(NET + "T = torch.zeros(3)\ndef g(): return block(T.sum())\n")["g"])),
        "'T' is a Tensor from outside the function that takes it, and has no source",
    ),
    "no source": (
        lambda n: source_of(dipbench.prior(eval("lambda channels: None"), name="eval_d")),
        "'<lambda>' has no source to tell it from another: define it .* not by exec",
    ),
    "dipbench's name": (
        lambda n: source_of(n(CLASS.replace("class Mine", "class nlm"))["nlm"]),
        "method 'nlm' is there already: give yours another name",
    ),
    "no dataclass": (
        lambda n: source_of(n(CLASS.replace("@dataclass(frozen=True)\n", ""))["Mine"]),
        r"Mine is not a dataclass: put @dataclass\(frozen=True\) on it",
    ),
    "not whole": (
        lambda n: source_of(n(CLASS.replace("def run", "def runs"))["Mine"]),
        r"Mine is not whole: it lacks run\(\)",
    ),
    "no method": (lambda n: registry.as_text("method", [3]), "a subclass of Method or an object of one, got 3"),
    "a function as it is": (
        lambda n: registry.as_text("method", [n(NET)["small"]]),
        r"method must be text, .*, got <function small.*dipbench.prior\(...\) makes one",
    ),
    "two of one name": (
        lambda n: registry.as_text("method", [n(CLASS)["Mine"], n(CLASS.replace("/ 2", "/ 3"))["Mine"]]),
        "two different methods are called 'Mine': give one of them another name",
    ),
    "other processes": (
        lambda n: dipbench.run("quickstart", methods=[n(CLASS)["Mine"]], jobs=2),
        "jobs must be 1, got 2: method 'Mine' was given from Python, .*; or put it into a file and give its path",
    ),
    "another executor": (
        lambda n: dipbench.run("quickstart", methods=[n(CLASS)["Mine"]], on="slurm[partition=cpu]"),
        r"on must be 'this_process', got 'slurm\[partition=cpu\]': method 'Mine' was given from Python",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_taken_is_refused_in_words(notebook: Notebook, what: str) -> None:
    call, words = REFUSED[what]
    with pytest.raises(UserError, match=words):
        call(notebook)


def test_a_short_name_of_the_suite_is_not_taken_for_it(notebook: Notebook, tmp_path: Path) -> None:
    suite = tmp_path / "mine.toml"
    suite.write_text(
        'title = "T"\n[methods]\nsmall = "degraded"\n[[experiments]]\nname = "e"\ndataset = "photos[crop=64,side=32]"\n'
        'task = "denoising"\nmethods = ["small"]\n'
    )
    with pytest.raises(UserError, match="suite 'mine' calls a method of its own 'small': give yours another name"):
        dipbench.run(str(suite), methods=[dipbench.prior(notebook(NET)["small"])], out=tmp_path / "out")


def test_what_is_found_by_name_or_path_is_taken_by_that(tmp_path: Path) -> None:
    (tmp_path / "half.py").write_text(FILE)
    nlm = registry.build("method", "nlm[patch_size=9]")
    half = registry.build("method", f"{tmp_path}/half.py[times=3]")
    assert registry.as_text("method", [nlm, type(nlm), half, "tv"]) == [
        "nlm[patch_size=9]", "nlm", f"{tmp_path}/half.py[times=3]", "tv",
    ]  # fmt: skip
    assert not GIVEN
