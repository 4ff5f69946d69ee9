"""The command line: `dipbench plan`."""

from pathlib import Path
from typing import Annotated, Literal

import typer


def plan(
    suite: Annotated[str, typer.Argument(help="A suite or an agenda (dipbench list suites), or a TOML file.")],
    only: Annotated[
        list[str] | None, typer.Option(help="Only this experiment, task, data set, image or method; or 'this|that'.")
    ] = None,
    method: Annotated[list[str] | None, typer.Option(help="Add a method: name[setting=value] or file.py.")] = None,
    data: Annotated[Path | None, typer.Option(help="Use the images of this folder instead.")] = None,
    scale: Annotated[Literal["full", "smoke"], typer.Option(help="smoke: a minute, to see that it runs.")] = "full",
    seed: Annotated[int | None, typer.Option(help="The first seed; default 0.")] = None,
    seeds: Annotated[int | None, typer.Option(help="How many seeds; default 1.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = "auto",
    engine: Annotated[str, typer.Option(help="auto, eager, graph or compiled.")] = "auto",
    precision: Annotated[str, typer.Option(help="float64, float32, tf32 or bf16.")] = "float32",
    out: Annotated[Path | None, typer.Option(help="The folder of results; default results/SUITE.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="A folder that has the data sets: docs/data.md.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="Change a setting: dip.iterations=500.")] = None,
) -> None:
    """Say what `run` with the same options would compute here, and what it takes: time, memory, disk."""
    from dipbench.agenda import parts_of
    from dipbench.api import Conditions, seeds_of
    from dipbench.collection import use_folder
    from dipbench.forecast import as_text, executions_of, forecast_of, side_of
    from dipbench.selection import Choices

    use_folder(data_dir)
    on, execution = Conditions(device, engine=engine, precision=precision).checked()
    choices = Choices(only or (), method or (), data, set_ or (), scale)
    parts = parts_of(suite, choices, seeds_of(seed, seeds), execution.precision)
    executions = executions_of(on, engine, execution.precision)
    print(as_text(forecast_of(parts, out, on, executions)))
    print(
        f"{', '.join(e.precision for e in executions)}: time of the fits one after another on {on} in each precision "
        f"(engine {', '.join(dict.fromkeys(e.engine for e in executions))}); measured now on cut-outs of "
        f"{side_of(on)}x{side_of(on)} (larger where a network takes no less) and scaled by the pixels\n"
        f"runs, in store: of those in {execution.precision}\n"
        f"memory: what the largest fit keeps in float32{'' if on.type == 'cuda' else ', with the process itself'}; up "
        "to 40% more for a moment on the way back\n"
        "what the methods without a fit take is not forecast"
    )
