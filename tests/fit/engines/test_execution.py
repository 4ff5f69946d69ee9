"""Engines and precisions against the reference, and what each refuses."""

import copy
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import pytest
import torch
from scripted import PROBLEM
from stepping import fit
from torch import Tensor, nn

from dipbench import registry
from dipbench.contract import FitSettings, Fitting, Prior, Problem, Scene
from dipbench.errors import UserError
from dipbench.fit import ENGINES, PRECISIONS, Execution, Fit, pick_execution
from dipbench.fit.engines.compiled import compiled
from dipbench.fit.engines.flat import FlatParameters
from dipbench.fit.tricks import Backtracking, Jitter, WeightNoise
from dipbench.nets.skip import skip_net
from dipbench.resources import out_of_gpu_memory
from dipbench.running.trial import Trial
from dipbench.streams import Streams
from dipbench.trace.step import Step

CPU = torch.device("cpu")
needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA GPU on this machine")


@dataclass(frozen=True)
class Small(Prior):
    """A skip network of two scales: every kind of layer that the large ones have."""

    iterations: int = 5
    weight_noise: float = 0.0

    def build(self, problem: Problem, rng: Streams) -> tuple[nn.Module, Tensor]:
        net = skip_net(4, problem.shape[0], down=(8, 8), up=(8, 8), skip=(2, 2))
        return net, torch.rand((1, 4, *problem.shape[1:]), generator=rng.torch("input"))

    def fit_settings(self, problem: Problem) -> FitSettings:
        noise = (WeightNoise(self.weight_noise),) if self.weight_noise else ()
        return FitSettings(iterations=self.iterations, tricks=(*noise, Jitter(), Backtracking()))


@pytest.fixture
def problem(photo: Tensor) -> Problem:
    return registry.build("task", "denoising").degrade(Scene(photo[:, :32, :32]), Streams(0))


def losses(steps: Iterator[Step]) -> list[float]:
    return [float(step.loss) for step in steps]


def computed(problem: Problem, engine: str, precision: str) -> list[float]:
    return losses(fit(Small(), problem, Streams(0), Execution(engine, precision)))


@pytest.mark.parametrize(("precision", "error"), [("float64", 1e-6), ("bf16", 2e-2)])
def test_precision_changes_the_first_loss_by_its_rounding_only(problem: Problem, precision: str, error: float) -> None:
    single, other = computed(problem, "eager", "float32"), computed(problem, "eager", precision)
    assert other[0] == pytest.approx(single[0], rel=error)
    assert other != single
    assert other[-1] < other[0]


def test_double_precision_is_double_throughout(problem: Problem) -> None:
    """Against the loop written out in float64, to far below single precision."""
    prior, rng = Small(iterations=3), Streams(0)
    with rng.seeded("weights"):
        net, z = prior.build(problem, rng)
    net, z = net.double(), z.double()
    adam, jitter, expected = torch.optim.Adam(net.parameters(), lr=0.01), rng.torch("jitter"), []
    for _ in range(3):
        adam.zero_grad()
        noise = (1 / 30) * torch.randn(z.shape, generator=jitter)  # the jitter of every precision is single
        loss = (net(z + noise) - problem.measurement).square().mean()
        loss.backward()
        adam.step()
        expected.append(float(loss.detach()))
    assert losses(fit(prior, problem, rng, Execution("eager", "float64"))) == pytest.approx(expected, rel=1e-12)


def test_compiled_agrees_with_eager(problem: Problem) -> None:
    """In double precision, where the rounding of another order of summation is not yet amplified by Adam."""
    assert computed(problem, "compiled", "float64") == pytest.approx(computed(problem, "eager", "float64"), rel=1e-7)


def test_compiled_stays_so_over_more_sizes_than_torch_has_patience_for(monkeypatch: pytest.MonkeyPatch) -> None:
    graphs: list[torch.fx.GraphModule] = []

    def keep(graph: torch.fx.GraphModule, inputs: list[Tensor]) -> torch.fx.GraphModule:
        graphs.append(graph)
        return graph

    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend=keep))
    with torch._dynamo.config.patch(recompile_limit=2):
        for size in range(8, 12):
            compiled(nn.Conv2d(3, 3, 3))(torch.rand((1, 3, size, size)))
    assert len(graphs) == 4


def test_channels_last_kernels_stay_so_in_the_vector() -> None:
    torch.manual_seed(0)
    plain = nn.Sequential(nn.Conv2d(3, 5, 3), nn.BatchNorm2d(5), nn.Sigmoid()).double()
    last = nn.Sequential(nn.Conv2d(3, 5, 3), nn.BatchNorm2d(5), nn.Sigmoid()).double()
    last.load_state_dict(plain.state_dict())
    flat = FlatParameters(last.to(memory_format=torch.channels_last))
    x = torch.rand((1, 3, 8, 8), dtype=torch.float64)
    assert last[0].weight.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(last[0].weight, plain[0].weight)
    plain(x).square().mean().backward()
    last(x).square().mean().backward()
    assert torch.allclose(last[0].weight.grad, plain[0].weight.grad, rtol=1e-9, atol=0)
    assert float(flat.values.grad.norm()) == pytest.approx(
        float(sum(p.grad.square().sum() for p in plain.parameters()).sqrt()), rel=1e-9
    )


def test_engine_is_chosen_for_the_device() -> None:
    assert pick_execution(CPU) == Execution("eager", "float32")
    assert pick_execution(CPU, precision="bf16") == Execution("lean", "bf16")
    assert pick_execution(torch.device("cuda")) == Execution("graph", "float32")


@pytest.mark.parametrize(
    ("engine", "precision", "message"),
    [
        ("graph", "float32", "for CUDA GPUs"),
        ("auto", "tf32", "for CUDA GPUs"),
        ("compiled", "bf16", "is not a number"),
        ("eagre", "float32", "did you mean 'eager'"),
        ("auto", "float23", "did you mean 'float32'"),
    ],
)
def test_what_the_device_cannot_do_is_refused(engine: str, precision: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        pick_execution(CPU, engine, precision)


def test_the_rounding_of_products_is_set_within_the_block_only() -> None:
    places = [torch.backends.cuda.matmul, torch.backends.cudnn.conv]
    for precision, expected, allowed in (("tf32", "tf32", True), ("float32", "ieee", False)):
        before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
        with Execution("eager", precision).within(CPU):
            assert [place.fp32_precision for place in places] == [expected] * 2
            assert torch.backends.cuda.matmul.allow_tf32 == torch.backends.cudnn.allow_tf32 == allowed
        assert (torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32) == before


@needs_cuda
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("precision", PRECISIONS)
def test_every_engine_and_precision_of_a_gpu(problem: Problem, engine: str, precision: str) -> None:
    from dipbench.running.trial import attempt
    from dipbench.scoring import Protocol

    on_gpu = problem.to(torch.device("cuda"))
    made = attempt(
        Small(iterations=20, weight_noise=0.01), on_gpu, on_gpu.measurement, Protocol(), Streams(0),
        execution=Execution(engine, precision),
    )  # fmt: skip
    reference = attempt(Small(iterations=20, weight_noise=0.01), on_gpu, on_gpu.measurement, Protocol(), Streams(0))
    error = {"float64": 1e-4, "float32": 1e-4, "tf32": 1e-2, "bf16": 5e-2}[precision]
    assert made.trace["loss"][0] == pytest.approx(reference.trace["loss"][0], rel=error)
    assert made.trace["loss"][19] == pytest.approx(reference.trace["loss"][19], rel=0.2)


@needs_cuda
@pytest.mark.parametrize("engine", ["eager", "graph"])
def test_no_iteration_waits_for_the_gpu(problem: Problem, engine: str) -> None:
    from dipbench.running.trial import Trial
    from dipbench.scoring import Protocol

    on_gpu = problem.to(torch.device("cuda"))
    trial = Trial(
        Small(iterations=30), on_gpu, on_gpu.measurement, Protocol(channels="luma"), Streams(0), Execution(engine)
    )
    for _ in range(10):  # cuDNN chooses its algorithms, and the graph is captured
        trial.advance()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Synchronization debug mode is a prototype feature")
        torch.cuda.set_sync_debug_mode("error")
    try:
        while trial.advance():
            trial.latest()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert trial.outcome().trace["psnr"].notna().all()


@pytest.mark.parametrize("message", ["CUDA error: out of memory", "cuDNN error: CUDNN_STATUS_ALLOC_FAILED"])
def test_full_gpu_is_known_by_whatever_library_says_so(message: str) -> None:
    assert out_of_gpu_memory(RuntimeError(message))
    assert out_of_gpu_memory(torch.cuda.OutOfMemoryError("CUDA out of memory."))
    assert not out_of_gpu_memory(RuntimeError("size mismatch"))


def test_cudnn_searches_within_lean_executions_alone() -> None:
    for engine, searched in (("eager", False), ("lean", True)):
        with Execution(engine).within(CPU):
            assert torch.backends.cudnn.benchmark is searched
        assert torch.backends.cudnn.benchmark is False


def test_without_a_stream_cuda_is_not_asked(problem: Problem, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine with MPS, where even `torch.cuda.stream(None)` raises."""

    def raises(stream: object) -> None:
        raise AssertionError("CUDA was asked for a stream")

    monkeypatch.setattr(torch.cuda, "stream", raises)
    truth, protocol = problem.measurement, registry.build("task", "denoising").protocol()
    trial = Trial(Small(iterations=2), problem, truth, protocol, Streams(0))
    while trial.advance():
        trial.latest()
    assert len(trial.outcome().trace) == 2


def test_checkpoint_of_another_engine_is_refused_by_name(problem: Problem) -> None:
    """The networks of `lean` have fewer parameters, and theirs lie in another order."""
    eager, lean = (Fit(Small(), problem, Streams(0), Execution(engine)) for engine in ("eager", "lean"))
    eager.output()
    eager.step()
    with pytest.raises(ValueError, match="by engine 'eager', and this one is by engine 'lean'"):
        lean.load(eager.state())


def test_weight_noise_is_the_same_in_every_layout() -> None:
    torch.manual_seed(0)
    plain = nn.Conv2d(3, 5, 3)
    last = copy.deepcopy(plain).to(memory_format=torch.channels_last)
    for layer in (plain, last):
        fit = Fitting(layer, nn.Parameter(torch.zeros(1)), torch.zeros(1), torch.zeros(()), layer, PROBLEM)
        WeightNoise(0.5).before(fit, {}, Streams(0).torch("noise"))
    assert torch.allclose(plain.weight, last.weight, atol=1e-6)


def test_slices_of_the_vector_are_aligned_and_what_is_between_them_stays_zero() -> None:
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Conv2d(1, 1, 3), nn.Conv2d(1, 3, 1))  # 9, 1, 3 and 3 numbers
    flat = FlatParameters(layers)
    assert [p.storage_offset() * p.element_size() % 64 for p in layers.parameters()] == [0, 0, 0, 0]
    adam = torch.optim.Adam([flat.values], 0.1)
    layers(torch.rand(1, 1, 8, 8)).square().sum().backward()
    adam.step()
    assert int((flat.values == 0).sum()) == len(flat.values) - 16
    named = flat.by_name({"values": flat.values})["values"]
    assert all(torch.equal(named[name], parameter) for name, parameter in layers.named_parameters())
