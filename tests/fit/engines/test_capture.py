"""The iteration as a CUDA graph, on a CPU: a tape that keeps the operations of one iteration stands for the graph.

What a graph would do wrong, the tape does too: it repeats the operations on the memory of the captured iteration and
runs no Python. And as a graph it leaves everything as it was while it captures, and refuses what waits for the device
or draws from a generator that it was not told of.
"""

import copy
import gc
import itertools
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd
import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from dipbench import registry
from dipbench.contract import FitSettings, Prior, Problem, Rule, Scene
from dipbench.errors import UserError
from dipbench.fit import Captured, Ensemble, Execution
from dipbench.running.trial import Lead, Trial
from dipbench.scoring import Protocol
from dipbench.streams import Streams
from dipbench.trace.kept import BEST
from dipbench.trace.recorder import Recorder
from dipbench.trace.rules.fixed import Fixed
from dipbench.trace.signals import Signal
from dipbench.trace.usual import USUAL


class Tape(TorchDispatchMode):
    """In place of `torch.cuda.CUDAGraph`."""

    def __init__(self) -> None:
        super().__init__()
        self._generators: list[torch.Generator] = []
        self._calls: list[tuple[Callable[..., Any], Sequence[Any], dict[str, Any], Any]] = []
        self._before: dict[int, tuple[torch.UntypedStorage, torch.UntypedStorage]] = {}

    def register_generator_state(self, generator: torch.Generator) -> None:
        self._generators.append(generator)

    def __enter__(self) -> "Tape":
        self._places = [generator.get_state() for generator in self._generators]
        super().__enter__()
        return self

    def __exit__(self, *raised: Any) -> None:
        super().__exit__(*raised)
        for storage, content in self._before.values():
            storage.copy_(content)
        for generator, place in zip(self._generators, self._places, strict=True):
            generator.set_state(place)

    def __torch_dispatch__(
        self, operation: Callable[..., Any], types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if operation is torch.ops.aten._local_scalar_dense.default:
            raise RuntimeError("operation not permitted when stream is capturing")
        generator = kwargs.get("generator")
        if generator and not any(torch.equal(generator.get_state(), each.get_state()) for each in self._generators):
            raise RuntimeError("the generator is not registered with the graph")
        for tensor in _tensors([args, kwargs]):
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in self._before:
                self._before[storage.data_ptr()] = (storage, storage.clone())
        result = operation(*args, **kwargs)
        self._calls.append((operation, args, kwargs, result))
        return result

    @torch.no_grad()
    def replay(self) -> None:
        for operation, args, kwargs, kept in self._calls:
            for place, made in zip(_tensors(kept), _tensors(operation(*args, **kwargs)), strict=True):
                if place.untyped_storage().data_ptr() != made.untyped_storage().data_ptr():
                    place.copy_(made)


def _tensors(tree: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)]


@pytest.fixture(autouse=True)
def _tape_for_a_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "CUDAGraph", Tape)
    monkeypatch.setattr(torch.cuda, "graph", lambda graph, stream: graph)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda: None)
    monkeypatch.setattr(torch.cuda, "get_sync_debug_mode", lambda: 0)
    monkeypatch.setattr(torch.cuda, "set_sync_debug_mode", lambda mode: None)


class Recorded:
    """A fit by the engine `graph` with its recorder, its iterations computed plainly or captured."""

    def __init__(self, prior: Prior, problem: Problem, truth: Tensor, captures: bool, **recorded: Any):
        self.ensemble = Ensemble(prior, problem, Streams(0), Execution("graph"))
        self.recorder = Recorder(
            problem, truth, Protocol(channels="luma"), self.ensemble.iterations, extremes=BEST, keep=(6,), **recorded
        )
        self._iterate = self.ensemble.advance if captures else self.ensemble.iterate

    def run(self, iterations: int) -> pd.DataFrame:
        for _ in range(iterations):
            self._iterate(self.recorder.record)
        return self.recorder.trace()


@pytest.fixture
def course(photo: Tensor) -> Callable[..., Recorded]:
    def build(method: str, task: str, captures: bool, **recorded: Any) -> Recorded:
        problem = registry.build("task", task).degrade(Scene(photo), Streams(0))
        return Recorded(registry.build("method", method), problem, photo, captures, **recorded)

    return build


PRIORS = [
    ("dip[down=[8,8],iterations=9]", "denoising"),
    ("dip[down=[8,8],iterations=9,weight_noise=0.02]", "denoising"),
    ("dip[down=[8,8],iterations=9,adam_epsilon=uncorrected]", "denoising"),
    ("dip[down=[8,8],iterations=9,backtrack=0.01,learning_rate=0.05]", "denoising"),
    ("dip[down=[8,8],iterations=9,starts=2,average=0]", "denoising"),
    ("dip[down=[8,8],iterations=9]", "inpainting"),
    ("dip[down=[8,8],iterations=9]", "super_resolution"),
    ("dip_unet[iterations=6]", "denoising"),
    ("dip_resnet[iterations=6]", "denoising"),
    ("tv_prior[iterations=9]", "denoising"),
]


@pytest.mark.parametrize(("method", "task"), PRIORS)
def test_a_captured_iteration_is_each_iteration(
    method: str, task: str, course: Callable[[str, str, bool], Recorded]
) -> None:
    plain, replayed = course(method, task, False), course(method, task, True)
    expected = plain.run(plain.ensemble.iterations)
    pd.testing.assert_frame_equal(replayed.run(replayed.ensemble.iterations), expected, check_exact=True)
    for one, other in zip(plain.recorder.outputs(), replayed.recorder.outputs(), strict=True):
        assert (one.name, one.iteration) == (other.name, other.iteration)
        assert torch.equal(one.image, other.image)


@pytest.mark.parametrize(("method", "task"), PRIORS[:5])
def test_a_checkpoint_between_replays_goes_on_from_there(
    method: str, task: str, course: Callable[[str, str, bool], Recorded]
) -> None:
    whole, first, second = (course(method, task, captures) for captures in (False, True, True))
    expected = whole.run(whole.ensemble.iterations)
    first.run(6)
    state = copy.deepcopy([first.ensemble.state(), first.recorder.state()])
    first.run(2)
    second.ensemble.load(state[0], 6)
    second.recorder.load(state[1])
    pd.testing.assert_frame_equal(second.run(whole.ensemble.iterations - 6), expected, check_exact=True)


def test_a_signal_with_memory_and_rules_are_captured_and_checkpointed(
    course: Callable[..., Recorded], examples: tuple[Signal, Rule]
) -> None:
    signal, rule = examples
    recorded = {"signals": [*USUAL, signal], "rules": [rule, Fixed(iteration=7)]}
    whole, first, second = (course(*PRIORS[0], captures, **recorded) for captures in (False, True, True))
    expected = whole.run(whole.ensemble.iterations)
    first.run(6)
    state = copy.deepcopy([first.ensemble.state(), first.recorder.state()])
    first.run(2)
    second.ensemble.load(state[0], 6)
    second.recorder.load(state[1])
    pd.testing.assert_frame_equal(first.run(whole.ensemble.iterations - 8), expected, check_exact=True)
    pd.testing.assert_frame_equal(second.run(whole.ensemble.iterations - 6), expected, check_exact=True)
    assert expected["scatter"].notna().sum() == whole.ensemble.iterations - 2
    wanted = whole.recorder.outputs()
    assert "fixed[iteration=7]" in [output.name for output in wanted]
    for replayed in (first, second):
        for one, other in zip(wanted, replayed.recorder.outputs(), strict=True):
            assert (one.name, one.iteration) == (other.name, other.iteration)
            assert torch.equal(one.image, other.image)


def test_what_was_best_before_a_rule_ended_the_fit_is_captured(course: Callable[..., Recorded]) -> None:
    recorded = {"stop": Fixed(iteration=4)}
    plain, replayed = (
        course("dip[down=[8,8],iterations=14]", "denoising", captures, **recorded) for captures in (False, True)
    )
    expected = plain.run(14)
    pd.testing.assert_frame_equal(replayed.run(14), expected, check_exact=True)
    outputs = {output.name: output for output in replayed.recorder.outputs()}
    assert outputs["best"].iteration == expected["psnr"].argmax() == 4, "it would go on getting better"
    for one in plain.recorder.outputs():
        assert torch.equal(one.image, outputs[one.name].image)


@pytest.mark.parametrize("engine", ["eager", "graph"])
def test_memory_of_a_trial_is_free_when_it_is_dropped(engine: str, photo: Tensor) -> None:
    """Not when Python looks for circles: the next trial asks for that memory at once."""
    problem = registry.build("task", "denoising").degrade(Scene(photo), Streams(0))
    method = registry.build("method", PRIORS[0][0])
    trial = Trial(method, problem, photo, Protocol(), Streams(0), Execution(engine))
    while trial.advance():
        pass
    gone = weakref.ref(trial)
    gc.collect()
    gc.disable()
    try:
        del trial
        assert gone() is None
    finally:
        gc.enable()


@dataclass(frozen=True)
class Penalised(Prior):
    """A network whose loss is wrong under a graph in the way that it is told."""

    wrong: Literal["waits", "counts", "draws elsewhere"]

    def build(self, problem: Problem, rng: Streams) -> tuple[nn.Module, Tensor]:
        object.__setattr__(self, "_generator", torch.Generator())
        object.__setattr__(self, "_calls", itertools.count(1))
        return nn.Conv2d(3, 3, 3, padding=1), problem.measurement[None]

    def fit_settings(self, problem: Problem) -> FitSettings:
        return FitSettings(iterations=9)

    def loss(self, output: Tensor, problem: Problem) -> Tensor:
        return problem.misfit(output) + output.mean() * self._factor(output)

    def _factor(self, output: Tensor) -> Tensor | float:
        if self.wrong == "waits":
            return float(output.detach().max())
        if self.wrong == "counts":
            return 1 / next(self._calls)  # type: ignore[attr-defined]
        return torch.empty(()).normal_(generator=self._generator)  # type: ignore[attr-defined]


@pytest.mark.parametrize("wrong", ["waits", "draws elsewhere"])
def test_what_cannot_be_captured_is_refused_with_the_mend(photo: Tensor, wrong: Any) -> None:
    problem = registry.build("task", "denoising").degrade(Scene(photo), Streams(0))
    with pytest.raises(UserError, match="take engine 'eager'"):
        Recorded(Penalised(wrong), problem, photo, captures=True).run(9)


def test_what_says_that_it_waits_is_not_captured(photo: Tensor) -> None:
    @dataclass(frozen=True)
    class Patient(Penalised):
        waits = True

    problem = registry.build("task", "denoising").degrade(Scene(photo), Streams(0))
    plain = Recorded(Penalised("waits"), problem, photo, captures=False).run(9)
    patient = Recorded(Patient("waits"), problem, photo, captures=True)
    assert patient.run(9)["loss"].tolist() == pytest.approx(plain["loss"].tolist(), rel=1e-3)  # in another layout
    assert patient.ensemble.execution == Execution("lean", "float32")


class Watch(TorchDispatchMode):
    """In place of CUDA's debug mode for what waits."""

    def __init__(self) -> None:
        super().__init__()
        self.mode: int | str = 0

    def set(self, mode: int | str) -> None:
        self.mode = mode

    def __torch_dispatch__(
        self, operation: Callable[..., Any], types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if operation is torch.ops.aten._local_scalar_dense.default and self.mode == "error":
            raise RuntimeError("called a synchronizing CUDA operation\nException raised from warn_or_error_on_sync")
        return operation(*args, **(kwargs or {}))


def test_what_waits_is_refused_before_a_capture_fails(photo: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Because no later run of the process could use the GPU then."""
    watch = Watch()
    monkeypatch.setattr(torch.cuda, "get_sync_debug_mode", lambda: watch.mode)
    monkeypatch.setattr(torch.cuda, "set_sync_debug_mode", watch.set)
    monkeypatch.setattr(torch.cuda, "CUDAGraph", None)
    problem = registry.build("task", "denoising").degrade(Scene(photo), Streams(0))
    course = Recorded(Penalised("waits"), problem, photo, captures=True)
    with watch, pytest.raises(UserError, match=r"\(called a synchronizing CUDA operation\).*take engine 'eager'"):
        course.run(9)
    assert watch.mode == 0, "what follows may wait"


def test_a_capture_that_failed_says_what_made_it_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not what its end says to that."""

    @contextmanager
    def graph(graph: Tape, stream: None) -> Iterator[None]:
        try:
            yield
        finally:
            raise RuntimeError("CUDA error: operation failed due to a previous error during capture")

    monkeypatch.setattr(torch.cuda, "graph", graph)
    with pytest.raises(UserError, match="draws from no registered generator"):
        fourth_iteration_raises(RuntimeError("draws from no registered generator"))
    with pytest.raises(torch.cuda.OutOfMemoryError):
        fourth_iteration_raises(torch.cuda.OutOfMemoryError("CUDA out of memory"))


def fourth_iteration_raises(error: RuntimeError) -> None:
    captured, calls = Captured([]), itertools.count(1)

    def iterate() -> None:
        if next(calls) == 4:
            raise error

    for _ in range(4):
        captured(iterate)


def test_the_tape_shows_what_a_graph_would_do_wrong(photo: Tensor) -> None:
    problem = registry.build("task", "denoising").degrade(Scene(photo), Streams(0))
    plain, replayed = (Recorded(Penalised("counts"), problem, photo, captures).run(9) for captures in (False, True))
    pd.testing.assert_frame_equal(replayed[:4], plain[:4], check_exact=True)  # three plain ones and the captured one
    assert (replayed["loss"][4:] != plain["loss"][4:]).all()


def test_the_host_is_only_a_few_iterations_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    """And at each one it waits for one that was long ago, so that the GPU has always work."""
    made, waited_for = [], []

    class Event:
        def __init__(self, blocking: bool):
            made.append(self)

        def record(self) -> None: ...

        def synchronize(self) -> None:
            waited_for.append((made.index(self), len(made) - 1))

    monkeypatch.setattr(torch.cuda, "Event", Event)
    lead = Lead()
    for _ in range(10):
        lead.hold()
    assert waited_for == [(iteration - 3, iteration) for iteration in range(3, 10)]
