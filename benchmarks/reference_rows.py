"""Keeps what a store has of a suite as small files, to be committed: results/reference/SUITE and reports/SUITE.

    python benchmarks/reference_rows.py results/paper/denoising

Kept are the numbers, one row an output; the traces in single precision, every iteration where they rise fast and every
tenth after that, with the peaks and the end; the figure of the curves, and tables with the verdicts. Not the pictures,
but those named by --picture IMAGE.
"""

import shlex
import shutil
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from dipbench.report.chapters import chapters_of
from dipbench.report.curves import curves_of
from dipbench.report.figure import write_figures
from dipbench.report.formats import to_markdown as table_of
from dipbench.report.tables import tables_of
from dipbench.report.verdicts import to_markdown as verdict_table
from dipbench.results import frame
from dipbench.signals import SIGNALS
from dipbench.store import Store
from dipbench.verdict import verdicts_of

ROOT = Path(__file__).parent.parent
FAST = 200  # iterations at the beginning, all kept
EVERY = 10


def main(
    folder: Annotated[Path, typer.Argument(help="The store.")],
    picture: Annotated[
        list[str] | None, typer.Option(help="Keep the averaged and the last output of this image.")
    ] = None,
    root: Annotated[Path, typer.Option(help="The checkout to write to.")] = ROOT,
) -> None:
    """Writes the files."""
    store = Store.existing(folder)
    plan = store.plan()
    rows = frame(store)
    numbers, report = root / "results" / "reference" / plan["name"], root / "reports" / plan["name"]
    for place in (numbers, report):
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
    digits = {"psnr": 4, "ssim": 4, "seconds": 1}
    rows.drop(columns=["status", "message"]).round(digits).to_csv(
        numbers / "numbers.csv", index=False, lineterminator="\n"
    )
    traces = [trace for key in rows["run"].unique() if (trace := kept_of(store, rows[rows["run"] == key])) is not None]
    if traces:
        pd.concat(traces, ignore_index=True).to_parquet(numbers / "traces.parquet", index=False, compression="zstd")
    (report / "README.md").write_text(page(store, report), encoding="utf-8")
    for image in picture or []:
        keep_pictures(store, rows[rows["image"] == image], report)
    print(f"{numbers}\n{report}")


def kept_of(store: Store, outputs: pd.DataFrame) -> pd.DataFrame | None:
    """The thinned trace of a run, named as its outputs are; None where it does not iterate."""
    run = outputs.iloc[0]
    trace = store.trace(run["run"])
    if trace is None or len(trace) < 2:
        return None
    iteration = trace["iteration"]
    kept = (iteration < FAST) | (iteration % EVERY == 0) | iteration.isin([*outputs["iteration"], iteration.max()])
    named = trace[kept].assign(run=run["run"], image=run["image"], method=run["method"], seed=run["seed"])
    return named[["run", "image", "method", "seed", "iteration", *SIGNALS]]


def page(store: Store, folder: Path) -> str:
    """The report in Markdown; the figures go into `folder`."""
    plan, found = store.plan(), verdicts_of(store)
    parts = [f"# {plan['title']}", plan["description"].strip(), f"Made by `{command_of(plan)}` and then "]
    parts[-1] += (
        f"`python benchmarks/reference_rows.py`. Every number and the traces: `results/reference/{plan['name']}`."
    )
    for chapter in chapters_of(store):
        curves = curves_of(store, chapter)
        if curves:
            write_figures(curves, folder, chapter.file)
            (folder / f"{chapter.file}.pdf").unlink()
            shutil.rmtree(folder / "narrow")
        parts += [f"## {chapter.name}", setup_of(store, chapter.frame)]
        parts += [f"![PSNR at every iteration]({chapter.file}.png)"] if curves else []
        parts += [verdict_table(found[chapter.name])] if found.get(chapter.name) else []
        parts.append(table_of(tables_of(chapter.name, chapter.frame, chapter.missing)))
    return "\n\n".join(parts).rstrip() + "\n"


def command_of(plan: dict[str, Any]) -> str:
    """What was typed, without the folders of the machine it was typed on."""
    words = shlex.split(plan["command"])
    places = {at for at, word in enumerate(words) if word in ("--out", "--data-dir")}
    return shlex.join(word for at, word in enumerate(words) if at not in places and at - 1 not in places)


def setup_of(store: Store, rows: pd.DataFrame) -> str:
    """On what the runs were computed, in a line."""
    results = [result for key in rows["run"].unique() if (result := store.result(key))]
    versions = sorted({f"torch {result['environment']['versions']['torch']}" for result in results})
    commits = sorted({(result["environment"]["commit"] or "a release")[:12] for result in results})
    seeds = sorted(rows["seed"].unique())
    instructions = sorted(set(rows["instructions"]) - {""})
    return (
        f"Device: {', '.join(sorted(rows['device'].unique()))}. "
        + (f"Instructions: {', '.join(instructions)}. " if instructions else "")
        + f"{', '.join(versions)}, dipbench at {', '.join(commits)}. "
        f"Seeds: {', '.join(map(str, seeds))}. Protocol: `{'`, `'.join(sorted(rows['protocol'].unique()))}`."
    )


def keep_pictures(store: Store, rows: pd.DataFrame, folder: Path) -> None:
    """Copies the outputs of an image by the methods that keep an average, named by method and seed."""
    rows = rows[rows["method"].isin(rows[rows["output"] == "averaged"]["method"])]
    for row in rows[rows["output"].isin(["last", "averaged"])].itertuples():
        name = f"{row.image}-{row.method}-{row.seed}-{row.output}.png".replace(" ", "_")
        shutil.copy(store.path / "runs" / str(row.run) / f"{row.output}.png", folder / name)


if __name__ == "__main__":
    typer.run(main)
