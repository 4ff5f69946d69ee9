"""Takes what has finished in stores into the checkout, to be committed: results/reference/SUITE and reports/SUITE.

    python benchmarks/tools/take_in.py results/paper/denoising
    python benchmarks/tools/take_in.py FOLDER/results          # every store in it, also while they are being computed
    python benchmarks/tools/take_in.py                         # the reports again, from what is committed

The runs join those that are committed already, of stores that may no longer exist, and the report is made from all of
them. A run that is committed stays as it is, but with --replace. Kept is what `reference.py` says; no picture but those
that --picture IMAGE names, and the sheets of --sheet IMAGE, which come first in a report. What note.md says, beside the
runs, stands in the report as it is. To be called at any time: once more changes nothing.
"""

import json
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from reference import Kept, Traces, as_named_today, holdings_of, named_by_suite, read, store_of, thinned, write
from reference_fits import Known, known_in, write_known
from reference_fits import merged as known_together
from reference_page import page, parted
from reference_sheet import write_sheets

from dipbench.errors import UserError
from dipbench.store.plans import merged
from dipbench.store.records import Plan, Result
from dipbench.store.store import Store
from dipbench.suites.suite import Suite, read_suite

ROOT = Path(__file__).parent.parent.parent
NOTE = "note.md"  # in the folder of the committed runs, written by hand: what a reader of the report must know of them


def main(
    folders: Annotated[list[Path] | None, typer.Argument(help="Stores, or folders of stores.")] = None,
    picture: Annotated[list[str] | None, typer.Option(help="Keep the final output and the EMA of this image.")] = None,
    sheet: Annotated[list[str] | None, typer.Option(help="Write what every method made of this image.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Take a run also in place of a committed one.")] = False,
    root: Annotated[Path, typer.Option(help="The checkout to write to.")] = ROOT,
) -> None:
    """Writes the files."""
    stores = [store for folder in folders or [] for store in stores_in(folder)]
    reference = root / "results" / "reference"
    committed = [path.parent.relative_to(reference).as_posix() for path in reference.rglob("runs.jsonl")]
    for name in sorted({plan.name for _, plan in stores} if folders else committed):
        suite = read_suite(name)
        runs, traces = read(reference / name)
        before, fresh_known = len(runs), []
        for store, plan in ((store, plan) for store, plan in stores if plan.name == name):
            fresh = chosen(finished(store, plan, suite), runs, replace)
            runs = {**runs, **fresh}
            traces = {**traces, **traces_of(store, fresh, watched=bool(suite.record or suite.rules))}
            if suite.record or suite.rules:
                fresh_known.append(known_in(store))
            for image in picture or []:
                keep_pictures(store, runs.values(), image, root / "reports" / name)
            for image in sheet or []:
                write_sheets(store, runs.values(), image, root / "reports" / name)
        known = known_together(reference / name, fresh_known)
        render(suite, as_named_today(suite, runs.values()), traces, known, root)
        print(f"{name}: {len(runs)} runs, {len(runs) - before} of them new")


def stores_in(folder: Path) -> list[tuple[Store, Plan]]:
    """The stores in a folder, or the one that it is, with all that was asked of each suite at full scale."""
    marks = sorted(folder.rglob("store.json"))
    if not marks:
        raise UserError(f"'{folder}' is not a results folder: it takes one that 'dipbench run --out' wrote")
    stores = [store for mark in marks if (store := Store.existing(mark.parent)).was_asked()]
    return [(store, plan) for store in stores for plan in of_suites(store)]


def of_suites(store: Store) -> list[Plan]:
    """All that was asked of a store at full scale, a plan a suite."""
    full = [plan for plan in store.plans() if plan.scale == "full"]
    return [merged([plan for plan in full if plan.name == name]) for name in dict.fromkeys(plan.name for plan in full)]


def finished(store: Store, plan: Plan, suite: Suite) -> dict[str, Kept]:
    """The runs that the store has and that the suite, or what was asked of it, gives a name."""
    keys = sorted(path.name for path in (store.path / "runs").iterdir() if not path.name.startswith("."))
    ended = {key: result_of(store, key) for key in keys if store.status(key) in ("done", "refused")}
    named: dict[str, list[list[str]]] = {}
    experiments = {experiment.name for experiment in suite.experiments}
    for experiment in plan.experiments:
        for run in experiment.runs if experiment.name in experiments else ():
            named.setdefault(run.key, []).append([experiment.name, run.label])
    named.update(named_by_suite(suite, [result.run for result in ended.values()]))
    of_others = store.plan().runs.keys() - plan.runs.keys()
    if unnamed := ended.keys() - named.keys() - of_others:
        print(f"{suite.name}: {len(unnamed)} runs left out: the suite has no such run ({', '.join(sorted(unnamed))})")
    return {
        key: Kept(key=key, named=named[key], command=command_of(plan, key), result=ended[key])
        for key in ended
        if key in named
    }


def result_of(store: Store, key: str) -> Result:
    """The result of a run, without its warnings, which name files of the machine, and what its own files were."""
    result = store.result(key)
    assert result is not None, "see `finished`"
    content = result.content()
    return Result.model_validate({name: value for name, value in content.items() if name not in ("warnings", "files")})


def chosen(found: Mapping[str, Kept], committed: Mapping[str, Kept], replaces: bool) -> dict[str, Kept]:
    """Those that are to be taken in. Says where a committed run stays that has another result."""
    others = [key for key in found if key in committed and _text(found[key]) != _text(committed[key])]
    if others and not replaces:
        print(f"{len(others)} runs are committed with another result: --replace takes the store's instead")
    return {key: run for key, run in found.items() if key not in committed or (replaces and key in others)}


def _text(run: Kept) -> str:
    return json.dumps(run.result.content(), sort_keys=True)  # as text, since a score may be NaN


def traces_of(store: Store, runs: Mapping[str, Kept], watched: bool) -> dict[str, pd.DataFrame]:
    """The traces of the runs that iterated, thinned at once: a figure is then the same when it is drawn again."""
    found = {}
    for key, run in runs.items():
        trace = store.trace(key) if run.result.status == "done" else None
        if trace is not None and len(trace) > 1:
            found[key] = thinned(trace, [output.iteration for output in run.result.outputs], watched)
    return found


def render(suite: Suite, runs: list[Kept], traces: Traces, known: Known, root: Path) -> None:
    """Writes what is committed of these runs, and the report on them."""
    report = root / "reports" / suite.name
    reference = root / "results" / "reference" / suite.name
    report.mkdir(parents=True, exist_ok=True)
    holdings = holdings_of(suite, runs)
    write(reference, runs, traces, holdings)
    write_known(known, reference)
    note = (reference / NOTE).read_text(encoding="utf-8") if (reference / NOTE).is_file() else ""
    with tempfile.TemporaryDirectory() as folder:
        store = store_of(Path(folder), runs, traces)
        shown = parted(holdings, {run.key: run for run in runs})
        (report / "README.md").write_text(page(store, shown, suite, runs, known, report, note), encoding="utf-8")


def command_of(plan: Plan, key: str) -> str:
    """The command that asked for a run, the last one where none did, without the folders of the machine it ran on."""
    words = shlex.split("".join(plan.command_of(key).splitlines()[-1:]))
    places = {at for at, word in enumerate(words) if word in ("--out", "--data-dir")}
    return shlex.join(word for at, word in enumerate(words) if at not in places and at - 1 not in places)


def keep_pictures(store: Store, runs: Iterable[Kept], image: str, folder: Path) -> None:
    """Copies the outputs of an image by the methods that keep an average, named by method, precision and seed."""
    folder.mkdir(parents=True, exist_ok=True)
    for run in runs:
        names = [output.output for output in run.result.outputs]
        if run.run.image != image or "ema" not in names or store.result(run.key) is None:
            continue
        precision = "" if run.run.precision == "float32" else f"-{run.run.precision}"
        for name in ("final", "ema"):
            picture = f"{run.run.image}-{run.named[0][1]}{precision}-{run.run.seed}-{name}.png".replace(" ", "_")
            shutil.copy(store.path / "runs" / run.key / f"{name}.png", folder / picture)


if __name__ == "__main__":
    try:
        typer.run(main)
    except UserError as error:
        print(f"take_in: {error}", file=sys.stderr)
        sys.exit(2)
