"""What stores of many runs take: opening and planning with nothing left to do, the report, and the page in a browser.

python benchmarks/large_stores.py --runs 44 --runs 864 --before ../before    # another checkout to compare with
python benchmarks/large_stores.py --runs 2040 --runs 9996
python benchmarks/large_stores.py --runs 99960 --only "open and plan"

Each part has a process of its own, and those of both checkouts take turns. CPU seconds are of that process; on a
machine that does other work too they count, not the wall clock.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import torch
import typer
from forged import LAYOUTS, forge, jobs_of

import dipbench
from dipbench.report import refresh_report
from dipbench.running.conditions import Conditions
from dipbench.running.runner import compute
from dipbench.store.store import Store

ROOT = Path(__file__).parents[1]
OUT = ROOT / "results" / "reference" / "speed"


def main(
    runs: Annotated[list[int], typer.Option(help=f"Of a store, one of {', '.join(map(str, LAYOUTS))}.")] = [44],  # noqa: B006
    before: Annotated[Path | None, typer.Option(help="Another checkout, measured in turn.")] = None,
    only: Annotated[list[str] | None, typer.Option(help="A part to measure, 'open and plan'; else all.")] = None,
    folder: Annotated[Path | None, typer.Option(help="Where stores are made and kept; else they go.")] = None,
    out: Annotated[Path, typer.Option(help="The folder of the table.")] = OUT,
    part: Annotated[str, typer.Option(hidden=True)] = "",
) -> None:
    """Adds to large_stores.csv, a line a store, checkout and part, and prints it."""
    if part:
        assert folder is not None
        print(json.dumps(measured(PARTS[part], folder, runs[0])))
        return
    with tempfile.TemporaryDirectory() as own:
        rows = [row for count in runs for row in _of_store(count, folder or Path(own), before, only or [*PARTS])]
    table = pd.DataFrame(rows)
    path = out / "large_stores.csv"
    if path.exists():
        old = pd.read_csv(path)
        table = pd.concat([old[~old["runs"].isin(table["runs"])], table]).sort_values("runs", kind="stable")
    table.to_csv(path, index=False, lineterminator="\n", float_format="%.4g")
    print(table.to_string(index=False))


def _of_store(runs: int, folder: Path, before: Path | None, parts: list[str]) -> Iterator[dict[str, Any]]:
    store = folder / str(runs)
    if not store.exists():
        forge(store, LAYOUTS[runs])
    for part in parts:
        for code, checkout in (("before", before), ("now", ROOT)):
            if checkout is not None:
                yield {"runs": runs, "part": part, "code": code, **_in_a_process(part, store, runs, checkout)}
    page = report_of(ROOT, store) / "index.html"
    if page.exists() and (paint := first_paint(page)):
        yield {"runs": runs, "part": "first paint in Chromium", "code": "now", "seconds": paint}


def _in_a_process(part: str, store: Path, runs: int, checkout: Path) -> dict[str, Any]:
    command = [sys.executable, __file__, "--part", part, "--runs", str(runs), "--folder", str(store)]
    done = subprocess.run(
        command,
        env={**os.environ, "PYTHONPATH": str(checkout.resolve())},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def measured(part: Callable[[Path, int], dict[str, Any]], store: Path, runs: int) -> dict[str, Any]:
    """What a part takes in this process, its imports included: seconds, CPU seconds, and the peak of its memory."""
    imported = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start, cpu = time.perf_counter(), time.process_time()
    found = part(store, runs)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "seconds": time.perf_counter() - start,
        "CPU seconds": time.process_time() - cpu,
        "CPU seconds of imports": cpu,
        "peak [MB]": usage.ru_maxrss / 1024,
        "after imports [MB]": imported / 1024,
        **found,
    }


def plan_again(store: Path, runs: int) -> dict[str, Any]:
    """Opens a store and plans what is all there, as the same command does a second time."""
    opened, jobs = Store(store), list(jobs_of(LAYOUTS[runs]))
    summary = compute(jobs, opened, opened.plan(), Conditions(device=torch.device("cpu")))
    assert (summary.present, len(summary.holdings.results)) == (runs, runs)
    return {}


def report_of(checkout: Path, store: Path) -> Path:
    """The folder of the report that the code of a checkout writes: each takes over what it can from its own."""
    return store.with_name(f"{store.name}-report-of-{checkout.resolve().name}")


def first_report(store: Path, runs: int) -> dict[str, Any]:
    """Writes the report where there is none."""
    shutil.rmtree(_own_report(store), ignore_errors=True)
    return _reported(store)


def report_again(store: Path, runs: int) -> dict[str, Any]:
    """The same when one run is new, for which everything is looked at again."""
    next((store / "runs").glob("*/result.json")).touch()
    return _reported(store)


def _own_report(store: Path) -> Path:
    """Of the code that this process has imported."""
    return report_of(Path(str(dipbench.__file__)).parents[1], store)


def _reported(store: Path) -> dict[str, Any]:
    opened = Store(store)
    page, written = refresh_report(opened, opened.holdings(), _own_report(store))
    assert written
    own = [path.stat() for path in page.parent.rglob("*") if path.is_file()]
    return {
        "page [kB]": page.stat().st_size / 1000,
        "folder without links [MB]": sum(found.st_size for found in own if found.st_nlink == 1) / 1e6,
    }


PARTS = {"open and plan": plan_again, "first report": first_report, "report, one run new": report_again}


def first_paint(page: Path) -> float | None:
    """Seconds from the start of the navigation; None where there is no Chromium, or no Playwright."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    if program is None:
        return None
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        opened = browser.new_page()
        opened.goto(page.resolve().as_uri())
        opened.wait_for_function("performance.getEntriesByName('first-contentful-paint').length > 0")
        found = opened.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime / 1000")
        browser.close()
    return float(found)


if __name__ == "__main__":
    typer.run(main)
