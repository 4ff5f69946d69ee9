"""The options that several commands take, each said once."""

from pathlib import Path
from typing import Annotated, Literal

import typer

SuiteName = Annotated[str, typer.Argument(help="A suite or an agenda (dipbench list suites), or a TOML file.")]
Only = Annotated[
    list[str] | None,
    typer.Option(help="Only this experiment, task, data set, image or method; or 'this|that'. Two of a kind add up."),
]
Methods = Annotated[
    list[str] | None,
    typer.Option("--method", help="Add a method: name[setting=value], file.py, or a package, ./folder."),
]
Data = Annotated[Path | None, typer.Option(help="Use the images of this folder instead.")]
Scale = Annotated[Literal["full", "smoke"], typer.Option(help="smoke: a minute, to see that it runs.")]
Seed = Annotated[int | None, typer.Option(help="The first seed; default 0.")]
Seeds = Annotated[str | None, typer.Option(help="How many seeds, as 3, or which, as 0,7,42; default 1.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")]
On = Annotated[str, typer.Option(help="Where runs are computed: an executor (dipbench list executors) or file.py.")]
Detach = Annotated[bool, typer.Option("--detach", help="Return when the runs wait in the queue; --on slurm only.")]
Jobs = Annotated[int, typer.Option(help="Parallel processes; 0: one per core, as memory allows.")]
Engine = Annotated[str, typer.Option(help="auto, eager, lean, graph or compiled.")]
Precision = Annotated[str, typer.Option(help="float64, float32, tf32 or bf16.")]
Checkpoint = Annotated[float, typer.Option(help="Seconds between checkpoints of a fit; 0: none.")]
AtOnce = Annotated[int, typer.Option(help="Runs that share a GPU; 0: as many as fill it.")]
Out = Annotated[Path | None, typer.Option(help="The folder of results; default results/SUITE.")]
DataDir = Annotated[Path | None, typer.Option(help="The folder of the data sets; see docs/data.md.")]
Plugins = Annotated[
    list[Path] | None, typer.Option(help="A folder whose files are plugins too, each under its name; or several.")
]
Record = Annotated[list[str] | None, typer.Option(help="Record this signal of each fit too (dipbench list signals).")]
Rules = Annotated[
    list[str] | None, typer.Option("--rule", help="Keep what this stopping rule would (dipbench list rules).")
]
Metrics = Annotated[
    list[str] | None, typer.Option("--metric", help="Score outputs by this too: ms_ssim, vif, haarpsi, gmsd, mdsi, ...")
]
ComparedBy = Annotated[
    str,
    typer.Option(
        "--metric",
        help="What methods are compared by: psnr, ssim, or one that a run with --metric scored; default psnr, or, of a "
        "task that has a number of its own, that.",
    ),
]
ComparedOutput = Annotated[
    str,
    typer.Option(
        "--output",
        help="Which output of a method takes part, where it has that: as the report calls it, such as 'stopped by wmv, "
        "EMA', or the results, such as wmv_ema.",
    ),
]
Peak = Annotated[
    int | None,
    typer.Option(min=1, max=65535, help="The level of the files that is white, as 4095 of 12 bits in 16."),
]
Settings = Annotated[list[str] | None, typer.Option("--set", help="Change a setting: dip.iterations=500.")]
