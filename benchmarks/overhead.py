"""What recording every signal costs: an iteration with its scoring against one without, in alternation.

python benchmarks/overhead.py --size 128 --size 256
python benchmarks/overhead.py --device cuda --size 512 --engine graph --iterations 50
"""

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import pandas as pd
import torch
import typer
from contenders import METHOD, TASK, Bare, photograph

from dipbench import registry
from dipbench.contract import Scene
from dipbench.fit import Execution, pick_execution
from dipbench.resources import device_title, keep_memory, pick_device, usable_cores
from dipbench.running.trial import Trial
from dipbench.streams import Streams

OUT = Path(__file__).parent.parent / "results" / "reference" / "speed"


def main(
    size: Annotated[list[int], typer.Option(help="Side of the image, pixels.")] = [128],  # noqa: B006
    engine: Annotated[str, typer.Option(help="As of dipbench run.")] = "auto",
    precision: Annotated[str, typer.Option(help="As of dipbench run.")] = "float32",
    device: Annotated[str, typer.Option()] = "auto",
    iterations: Annotated[int, typer.Option(help="Of a block.")] = 3,
    rounds: Annotated[int, typer.Option(help="Blocks of each.")] = 15,
    threads: Annotated[int, typer.Option(help="0: as many as the machine has.")] = 0,
    out: Annotated[Path, typer.Option(help="The folder of the table.")] = OUT,
) -> None:
    """Writes overhead_DEVICE.csv and prints it."""
    on, execution = pick_device(device), pick_execution(pick_device(device), engine, precision)
    torch.set_num_threads(threads or usable_cores())
    if on.type == "cpu":
        keep_memory()
    rows = []
    for side in size:
        with_recording, without = measured(side, on, execution, iterations, rounds)
        ratios = [a / b for a, b in zip(with_recording, without, strict=True)]
        rows.append(
            {
                "size": side,
                "engine": execution.engine,
                "precision": execution.precision,
                "with [s/it]": statistics.median(with_recording),
                "without [s/it]": statistics.median(without),
                "overhead [%]": 100 * (statistics.median(ratios) - 1),
                "lowest quarter [%]": 100 * (statistics.quantiles(ratios, n=4)[0] - 1),
                "highest quarter [%]": 100 * (statistics.quantiles(ratios, n=4)[2] - 1),
                "device": device_title(on),
                "torch": torch.__version__,
            }
        )
    table = pd.DataFrame(rows)
    out.mkdir(parents=True, exist_ok=True)
    file = out / f"overhead_{on.type}.csv"
    table.to_csv(file, index=False, float_format="%.4g", lineterminator="\n")
    print(table.drop(columns=["device", "torch"]).to_string(index=False, float_format="%.4g"), file, sep="\n")


def measured(
    size: int, device: torch.device, execution: Execution, iterations: int, rounds: int
) -> tuple[list[float], list[float]]:
    """Seconds an iteration in each block, with recording and without."""
    truth = photograph(size)
    task, method = registry.build("task", TASK), registry.build("method", METHOD)
    problem = task.degrade(Scene(truth), Streams(0)).to(device)
    trial = Trial(method, problem, truth.to(device), task.protocol(), Streams(0), execution)
    bare = Bare(problem, execution)
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(rounds + 2):
        for mine, iterate in zip(times, (trial.advance, bare.advance), strict=True):
            spent = block(iterate, iterations, device)
            if turn > 1:  # the first ones warm up
                mine.append(spent / iterations)
    return times


def block(iterate: Callable[[], object], iterations: int, device: torch.device) -> float:
    """Seconds of so many iterations."""
    start = time.perf_counter()
    for _ in range(iterations):
        iterate()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - start


if __name__ == "__main__":
    typer.run(main)
