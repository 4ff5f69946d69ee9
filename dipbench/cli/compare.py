"""The command `dipbench compare`."""

import sys
from typing import Annotated

import typer

from dipbench.cli import options, terminal


def compare(
    suite: Annotated[
        list[str],
        typer.Option("--suite", help="A suite that was run, whose results are in results/SUITE, or a folder of them."),
    ],
    methods: Annotated[
        list[str] | None,
        typer.Argument(
            help="Labels, with an output ('dip, final') or without: then ema where a method has it. Default: all."
        ),
    ] = None,
    baseline: Annotated[
        str, typer.Option(help="What each is compared with; default the first named, or dip, or the first there is.")
    ] = "",
    metric: options.ComparedBy = "",
    ties: Annotated[
        float | None, typer.Option(help="The difference up to which two are equal; default 0.1 dB of a PSNR.")
    ] = None,
    output: options.ComparedOutput = "",
    plugins: options.Plugins = None,
) -> None:
    """Say which method is better, and how sure that is.

    From results that are there: it computes no run. Of each experiment: the ranking with an interval for other images
    of this kind and one for other seeds, and each method against the baseline. Of a method that was not run it says
    what to run. With several --suite, on the measurements that the first has.
    """
    from dipbench import api, registry
    from dipbench.report.ranking import as_text

    registry.use_folders(plugins)
    found = api.compare(methods or (), suite=suite, baseline=baseline, metric=metric, ties=ties, output=output)
    print("\n\n".join(as_text(one, terminal.width()) for one in found.each))
    for remark in found.remarks:
        print(f"dipbench: {remark}", file=sys.stderr)
