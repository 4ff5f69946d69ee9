"""A fit at full length in one precision beside the same fit in another, from traces that are there already.

    python benchmarks/fidelity_full.py                                  # of what is under results/reference
    python benchmarks/fidelity_full.py results/paper/denoising results/reference/paper/denoising

Looks for stores and for what take_in.py kept of stores, pairs the runs that differ in nothing but the precision
(and in how long they went on), and compares each pair. Nothing is computed anew.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, cast

import pandas as pd
import typer
from fidelity_statistics import figures_of

from dipbench.errors import UserError
from dipbench.fit import PRECISIONS
from dipbench.spec import Spec, parse
from dipbench.store.store import Store
from dipbench.suites.run import Run

ROOT = Path(__file__).parent.parent
OUT = ROOT / "results" / "reference" / "speed"
SAME = ["dataset", "image", "task", "measurement", "protocol", "what", "seed"]  # in what the runs of a pair agree
COMPARED = ["float32", "bf16"]
GRID = 10  # take_in.py keeps each such iteration of a trace, whatever comes of the fit


def main(
    folders: Annotated[list[Path] | None, typer.Argument(help="Searched; default results/reference.")] = None,
    precision: Annotated[list[str], typer.Option(help="The two to compare.")] = COMPARED,
    out: Annotated[Path, typer.Option(help="The folder of the table.")] = OUT,
) -> None:
    """Writes fidelity_full.csv and prints it."""
    if len(precision) != 2:
        raise typer.BadParameter(f"--precision was given {len(precision)} times: it takes two precisions to compare")
    found = [pair for folder in folders or [ROOT / "results" / "reference"] for pair in runs_below(folder)]
    rows = compared(found, precision[0], precision[1])
    if not rows:
        raise SystemExit(f"no run in {precision[0]} has its like in {precision[1]} among {len(found)} fits")
    table = pd.DataFrame(rows)
    out.mkdir(parents=True, exist_ok=True)
    table.to_csv(out / "fidelity_full.csv", index=False, float_format="%.5g", lineterminator="\n")
    for (image, task, compares), pair in table.groupby(["image", "task", "iterations"], sort=False):
        print(f"{image}, {task}, iterations {compares}")
        print(pair[["quantity", *precision, "difference"]].to_string(index=False, float_format="%.4g"), "", sep="\n")


def runs_below(folder: Path) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    """Every fit below a folder: what is known of the run, and its trace."""
    for file in sorted(folder.rglob("traces.parquet")):
        numbers = pd.read_csv(file.with_name("numbers.csv"), dtype={"engine": "str"}).drop_duplicates("run")
        traces = dict(list(pd.read_parquet(file).groupby("run")))
        runs = cast(list[dict[str, Any]], numbers.to_dict("records"))
        yield from ((run | {"what": _what(run["method"])}, traces[run["run"]]) for run in runs if run["run"] in traces)
    for mark in sorted(folder.rglob("store.json")):
        yield from _runs_of(Store.existing(mark.parent))


def _runs_of(store: Store) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    """Also those that no plan names: a store of before may hold both precisions, and its plan one of them."""
    planned = store.plan().runs
    for folder in sorted((store.path / "runs").iterdir()):
        result = store.result(folder.name)
        trace = store.trace(folder.name) if result and result.status == "done" else None
        if result is None or trace is None or len(trace) < 2:
            continue  # nothing that ended well, or that iterates
        run = result.run
        twins = [replace(run, precision=precision).key for precision in PRECISIONS]
        method = next((planned[key].label for key in [run.key, *twins] if key in planned), _spec(run))
        about = {name: getattr(run, name) for name in ("dataset", "image", "protocol", "seed", "precision")}
        about |= {"run": run.key, "task": run.task["name"], "measurement": run.measurement_key, "method": method}
        about |= {"what": _what(method), "engine": result.engine, "device": result.environment.device}
        yield about, trace


def _spec(run: Run) -> str:
    return str(Spec(run.method["name"], run.method["settings"]))


def _what(method: str) -> str:
    try:
        spec = parse(method)
    except UserError:
        return method
    return str(Spec(spec.name, {key: value for key, value in spec.settings.items() if key != "iterations"}))


def compared(found: list[tuple[dict[str, Any], pd.DataFrame]], left: str, right: str) -> list[dict[str, Any]]:
    """A row a quantity of every pair; of several runs that would do, the longest."""
    longest: dict[tuple[Any, ...], tuple[dict[str, Any], pd.DataFrame]] = {}
    for run, trace in found:
        key = (run["precision"], *(run[name] for name in SAME))
        if key not in longest or _last(longest[key][1]) < _last(trace):
            longest[key] = run, trace
    rows: dict[tuple[str, str], list[dict[str, Any]]] = {}  # by the two runs: suites may share them
    for (precision, *same), (run, trace) in longest.items():
        if precision == left and (right, *same) in longest:
            other, beside = longest[right, *same]
            rows.setdefault((run["run"], other["run"]), _rows(run, trace, other, beside))
    return [row for pair in rows.values() for row in pair]


def _rows(
    run: dict[str, Any], trace: pd.DataFrame, other: dict[str, Any], beside: pd.DataFrame
) -> list[dict[str, Any]]:
    trace, beside, iterations = overlapping(trace, beside)
    ours, theirs = figures_of(trace), figures_of(beside)
    facts = {name: run[name] for name in ("task", "image", "method", "seed")} | {"iterations": iterations}
    names = run["precision"], other["precision"]
    return [
        {
            **facts,
            "quantity": quantity,
            names[0]: ours[quantity],
            names[1]: theirs[quantity],
            "difference": theirs[quantity] - ours[quantity],
            **{f"engine of {each['precision']}": _engine(each) for each in (run, other)},
            **{f"device of {each['precision']}": each["device"] for each in (run, other)},
        }
        for quantity in ours
        if quantity in theirs
    ]


def _engine(run: dict[str, Any]) -> str:
    """The engine; results from before there were engines name none, and there was one way then."""
    return run["engine"] if isinstance(run["engine"], str) and run["engine"] else "eager"


def overlapping(trace: pd.DataFrame, beside: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, str]:
    """Two traces as far as both go, and up to where that is, in words.

    Where one goes on longer, only every GRID-th iteration counts: a thinned trace has the peak of the whole fit beside
    those, but may lack the peak of its beginning, and another may have that.
    """
    ends = _last(trace), _last(beside)
    if ends[0] == ends[1]:
        return trace, beside, f"0 to {ends[0]}"
    both = {i for i in set(trace["iteration"]) & set(beside["iteration"]) if i % GRID == 0}
    cut = [each[each["iteration"].isin(both)] for each in (trace, beside)]
    return cut[0], cut[1], f"0 to {min(ends)}; one went on to {max(ends)}"


def _last(trace: pd.DataFrame) -> int:
    return int(trace["iteration"].iloc[-1])


if __name__ == "__main__":
    typer.run(main)
