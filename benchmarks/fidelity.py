"""What an engine and a precision do to a fit, against eager float64 and float32.

    python benchmarks/fidelity.py                             # a small network on nine crops, five seeds
    python benchmarks/fidelity.py --engine auto --engine compiled --precision float32     # other executions
    python benchmarks/fidelity.py --device cuda --full        # the paper's network, nine images, 3000 iterations
    python benchmarks/fidelity.py --device cuda --full --seeds 1 --engine graph --precision tf32  # and the reference

First one iteration: loss and gradient must agree within the precision's rounding. Then the statistics over images and
seeds, for traces cannot be compared: Adam's first steps divide a gradient by its own size, which amplifies any
rounding. How much is measured too: weights times 1 + 1e-7. Every fit is compared with that of eager float32 of the same
image and seed; seeds of an image are averaged before images are, for they are not independent.
"""

import copy
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, cast

import pandas as pd
import torch
import typer
from contenders import loss_of
from fidelity_statistics import came_apart, differences_of, figures_of, statistics_of
from truths import truth_of

from dipbench import registry
from dipbench.contract import Prior, Problem, Scene
from dipbench.errors import UserError, unknown
from dipbench.fit import ENGINES, PRECISIONS, REFERENCE, Execution, Fit, pick_execution
from dipbench.resources import device_title, instructions, keep_memory, pick_device
from dipbench.running.trial import attempt
from dipbench.streams import Streams

OUT = Path(__file__).parent.parent / "results" / "reference" / "speed"
TASK, FULL = "denoising[sigma=25]", "dip[preset=denoising]"
SMALL = "dip[preset=denoising,down=[32,32,32],skip=[4,4,4],iterations=400]"
USUAL = ("float32", "tf32", "bf16")  # the precisions that are compared where none is named, if the device has them


def main(
    device: Annotated[str, typer.Option()] = "auto",
    full: Annotated[bool, typer.Option(help="The nine images at full length, not crops.")] = False,
    images: Annotated[int, typer.Option(help="How many of the nine.")] = 9,
    seeds: Annotated[int, typer.Option()] = 5,
    crop: Annotated[int, typer.Option(help="Side of the crops, pixels.")] = 64,
    engine: Annotated[list[str], typer.Option(help="auto: what a run takes in that precision.")] = ["auto"],  # noqa: B006
    precision: Annotated[list[str] | None, typer.Option(help="Default: float32, tf32, bf16.")] = None,
    method: Annotated[str | None, typer.Option(help="Another method than these.")] = None,
    out: Annotated[Path, typer.Option(help="The folder of the tables.")] = OUT,
) -> None:
    """Writes fidelity_KIND_DEVICE.csv (first, fits, statistics, differences) and prints all but the fits."""
    on = pick_device(device)
    if on.type == "cpu":
        keep_memory()
    prior: Prior = registry.build("method", method or (FULL if full else SMALL))
    dataset = registry.build("dataset", "cbm3d9" if full else f"cbm3d9[crop={crop}]")
    truths = {name: truth_of(dataset, name).to(on) for name in dataset.names()[:images]}
    task = registry.build("task", TASK)
    problems = {name: task.degrade(Scene(truth.cpu()), Streams(0)).to(on) for name, truth in truths.items()}
    tried = executions(on, engine, precision or USUAL)
    first = first_iteration(prior, next(iter(problems.values())), tried)
    rows = []
    for execution in tried:
        for name, problem in problems.items():
            for seed in range(seeds):
                made = attempt(prior, problem, truths[name], task.protocol(), Streams(seed), execution=execution)
                rows.append({**_named(execution), "image": name, "seed": seed, **figures_of(made.trace)})
                rows[-1]["came apart"] = came_apart(made.trace)
    fits = pd.DataFrame(rows)
    tables = {"first": first, "fits": fits, "statistics": statistics_of(fits), "differences": differences_of(fits)}
    out.mkdir(parents=True, exist_ok=True)
    for kind, table in tables.items():
        table = table.assign(method=str(method or (FULL if full else SMALL)), device=device_title(on))
        table = table.assign(**({"instructions": instructions()} if on.type == "cpu" else {}))
        table = table.assign(images=len(problems), seeds=seeds, crop=0 if full else crop, torch=torch.__version__)
        table.to_csv(out / f"fidelity_{kind}_{on.type}.csv", index=False, float_format="%.5g", lineterminator="\n")
        if kind == "fits":
            continue
        print(tables[kind].to_string(index=False, float_format="%.4g"), "", sep="\n")


def executions(device: torch.device, engines: Iterable[str], precisions: Iterable[str]) -> list[Execution]:
    """These engines in these precisions, as far as the device has them, after the reference: eager float32."""
    for what, names, known in (("engine", engines, ["auto", *ENGINES]), ("precision", precisions, PRECISIONS)):
        if wrong := [name for name in names if name not in known]:
            raise unknown(what, wrong[0], known)
    found = [REFERENCE]
    for precision in precisions:
        for engine in engines:
            with suppress(UserError):
                found.append(pick_execution(device, engine, precision))
    return list(dict.fromkeys(found))


def first_iteration(prior: Prior, problem: Problem, tried: list[Execution]) -> pd.DataFrame:
    """Relative error of the first loss and of the first gradient against eager float64, and the yardstick."""
    expected = _first(prior, problem, Execution("eager", "float64"))
    rows: list[dict[str, Any]] = []
    for execution in tried:
        loss, gradient = _first(prior, problem, execution)
        error = torch.linalg.vector_norm(gradient - expected[1]) / torch.linalg.vector_norm(expected[1])
        rows.append({**_named(execution), "loss": abs(loss / expected[0] - 1), "gradient": float(error)})
    plain, moved = (_twentieth_loss(prior, problem, factor) for factor in (1.0, 1 + 1e-7))
    rows.append(
        {"engine": "eager", "precision": "float32, weights times 1 + 1e-7, 20th loss", "loss": abs(moved / plain - 1)}
    )
    return pd.DataFrame(rows)


def _first(prior: Prior, problem: Problem, execution: Execution) -> tuple[float, torch.Tensor]:
    """The first loss, and the gradient of every weight of a convolution, in double precision and the plain layout."""
    fit = Fit(_without_chance(prior), problem, Streams(0), execution)
    loss = float(loss_of(fit.output()))
    kernels = [parameter for parameter in fit.network.parameters() if parameter.ndim == 4]
    return loss, torch.cat([p.grad.detach().double().contiguous().flatten() for p in kernels if p.grad is not None])


def _twentieth_loss(prior: Prior, problem: Problem, factor: float) -> float:
    fit = Fit(_without_chance(prior), problem, Streams(0))
    with torch.no_grad():
        for parameter in fit.network.parameters():
            parameter.mul_(factor)
    for _ in range(19):
        fit.output()
        fit.step()
    return float(loss_of(fit.output()))


def _without_chance(prior: Prior) -> Prior:
    """The prior without jitter: what is compared is arithmetic."""
    return replace(copy.copy(cast(Any, prior)), jitter=0.0)  # a setting of some priors


def _named(execution: Execution) -> dict[str, str]:
    return {"engine": execution.engine, "precision": execution.precision}


if __name__ == "__main__":
    typer.run(main)
