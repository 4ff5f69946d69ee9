"""Times the fit, beside the official code where a checkout of it is given, in alternation.

    python benchmarks/fit_speed.py --size 256 --size 512 --official deep-image-prior
    python benchmarks/fit_speed.py --size 256 --size 512 --engine eager --engine lean --precision float32 \\
        --precision bf16 --contender "official notebook" --contender dipbench --official deep-image-prior
    python benchmarks/fit_speed.py --device cuda --size 512 --engine eager --engine graph --engine compiled \\
        --precision float32 --precision tf32 --precision bf16 --iterations 50 --official deep-image-prior
    python benchmarks/fit_speed.py --device cuda --size 256 --engine graph --at-once 8 --iterations 50

Each contender has a process of its own; they take turns, a block of iterations each, and the median over the blocks is
taken. Ratios are of medians. Run it on a machine that does nothing else.
"""

import multiprocessing
import statistics
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import torch
import typer
from contenders import Contender, photograph, posed, serve
from roofline import operations, peaks, traffic

from dipbench.fit import Execution, pick_execution
from dipbench.resources import commit, device_title, instructions, pick_device, usable_cores

OUT = Path(__file__).parent.parent / "results" / "reference" / "speed"


def main(
    size: Annotated[list[int], typer.Option(help="Side of the image, pixels.")] = [256],  # noqa: B006
    engine: Annotated[list[str], typer.Option(help="As of dipbench run.")] = ["auto"],  # noqa: B006
    precision: Annotated[list[str], typer.Option(help="As of dipbench run.")] = ["float32"],  # noqa: B006
    device: Annotated[str, typer.Option()] = "auto",
    official: Annotated[Path | None, typer.Option(help="A checkout of DmitryUlyanov/deep-image-prior.")] = None,
    contender: Annotated[list[str] | None, typer.Option(help="Only this one of docs/speed.md; default all.")] = None,
    at_once: Annotated[int, typer.Option(help="Time this many fits taking turns, too.")] = 1,
    iterations: Annotated[int, typer.Option(help="Of a block.")] = 3,
    rounds: Annotated[int, typer.Option(help="Blocks of each contender.")] = 5,
    threads: Annotated[int, typer.Option(help="0: as many as the machine has.")] = 0,
    out: Annotated[Path, typer.Option(help="The folder of the table.")] = OUT,
) -> None:
    """Writes fit_speed_DEVICE.csv and prints it."""
    on, threads = pick_device(device), threads or usable_cores()
    torch.set_num_threads(threads)
    executions = [pick_execution(on, name, kind) for name in engine for kind in precision]
    rows = []
    for side in size:
        rows += measured(side, on, threads, executions, official, contender, at_once, iterations, rounds)
    table = pd.DataFrame(rows)
    out.mkdir(parents=True, exist_ok=True)
    file = out / f"fit_speed_{on.type}.csv"
    table.to_csv(file, index=False, float_format="%.5g", lineterminator="\n")
    print(
        table.drop(columns=["device", "instructions", "torch", "commit"]).to_string(index=False, float_format="%.4g"),
        file,
        sep="\n",
    )


def measured(
    size: int,
    device: torch.device,
    threads: int,
    executions: list[Execution],
    official: Path | None,
    only: list[str] | None,
    at_once: int,
    iterations: int,
    rounds: int,
) -> list[dict[str, Any]]:
    """A row a contender at one size."""
    common: dict[str, Any] = {"size": size, "device": device.type, "threads": threads}
    reference = Execution()
    as_torch_does = Execution(precision="tf32") if device.type == "cuda" else reference  # the default of convolutions
    plain = [Contender("dipbench", **common, execution=reference, keeps_memory=False)] if device.type == "cpu" else []
    ours = [Contender(who, **common, execution=e) for e in executions for who in ("dipbench", "dipbench, bare")]
    many = [Contender("dipbench", **common, execution=e, at_once=at_once) for e in executions] if at_once > 1 else []
    theirs = [
        Contender(who, **common, execution=as_torch_does, official=official.resolve(), keeps_memory=False)
        for who in ("official notebook", "official, bare")
        if official
    ]
    contenders = [one for one in (*theirs, *plain, *ours, *many) if not only or one.who in only]
    seconds, facts = alternated(contenders, iterations, rounds)
    method, problem, _ = posed(contenders[-1])
    flops, moved = operations(method, problem), traffic(method, problem)
    best = best_of([(e.precision, peaks(device, size, e)) for e in executions])
    times = [statistics.median(each) / one.at_once for each, one in zip(seconds, contenders, strict=True)]
    by_name = {one.who: time for one, time in zip(contenders, times, strict=True)}
    measured_as = Contender("dipbench", **common, execution=reference)
    at = contenders.index(measured_as) if measured_as in contenders else None
    reference_time = float("nan") if at is None else times[at]
    reference_memory = float("nan") if at is None else facts[at]["peak_memory"]
    losses = [fact["losses"][: iterations * rounds] for fact in facts]
    eager = next((loss for one, loss in zip(contenders, losses, strict=True) if one in plain), None)
    rows = []
    for one, each, time, fact, loss in zip(contenders, seconds, times, facts, losses, strict=True):
        peak = best.get(one.execution.precision) or peaks(device, size, one.execution)
        width = torch.finfo(one.execution.arithmetic.autocast or one.execution.arithmetic.dtype).bits // 8
        floor = max(flops / peak["matmul_flops"], moved * width / peak["copy_bytes"])
        rows.append(
            {
                "size": size,
                "contender": one.who,
                "engine": "" if one in theirs else one.execution.engine,
                "precision": one.execution.precision,
                "keeps memory": one.keeps_memory and device.type == "cpu",
                "at once": one.at_once,
                "s/it": time,
                "spread": (max(each) - min(each)) / statistics.median(each),
                "it/s": 1 / time,
                "against the notebook": by_name.get("official notebook", float("nan")) / time,
                "against the bare official": by_name.get("official, bare", float("nan")) / time,
                "against eager float32": reference_time / time,
                "TFLOP/s": flops / time / 1e12,
                "of matmul peak": flops / time / peak["matmul_flops"],
                "of convolution peak": flops / time / peak["convolution_flops"],
                "over the convolutions": time * peak["convolution_flops"] / flops,
                "over the floor": time / floor,
                "peak memory [MiB]": fact["peak_memory"] / 2**20,
                "memory of eager float32": fact["peak_memory"] / reference_memory,
                "losses as without kept memory": "" if not loss or eager is None else str(loss == eager),
                "device": device_title(device),
                "instructions": instructions() if device.type == "cpu" else "",
                "torch": torch.__version__,
                "commit": (commit() or "")[:12],
            }
        )
    return rows


def best_of(found: list[tuple[str, dict[str, float]]]) -> dict[str, dict[str, float]]:
    """By precision, the highest of each rate: engines lay their images out in other ways."""
    best: dict[str, dict[str, float]] = {}
    for precision, rates in found:
        best[precision] = {name: max(rate, best.get(precision, rates)[name]) for name, rate in rates.items()}
    return best


def alternated(
    contenders: list[Contender], iterations: int, rounds: int
) -> tuple[list[list[float]], list[dict[str, Any]]]:
    """Seconds an iteration in each block of each contender, and what each knows at its end. One block comes first."""
    photograph(8)  # here first, for every process to find it
    started = [_start(contender) for contender in contenders]
    for _, pipe in started:
        assert pipe.recv() == "ready"
    seconds: list[list[float]] = [[] for _ in contenders]
    for turn in range(rounds + 1):
        for (_, pipe), mine in zip(started, seconds, strict=True):
            pipe.send(iterations)
            spent = pipe.recv()
            if turn:  # the first is to warm up
                mine.append(spent / iterations)
    facts = []
    for process, pipe in started:
        pipe.send(None)
        facts.append(pipe.recv())
        process.join()
    return seconds, facts


def _start(contender: Contender) -> tuple[BaseProcess, Connection]:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=serve, args=(contender, there), daemon=True)
    process.start()
    there.close()  # so that reading from a process that died ends
    return process, here


if __name__ == "__main__":
    typer.run(main)
