"""A number that can be cited: its provenance in one line, and the BibTeX of what was used."""

import math
import re
from functools import cache
from glob import escape
from pathlib import Path

from dipbench.errors import UserError
from dipbench.store.records import Result
from dipbench.suites.run import written

_OWN = """@software{{dipbench,
  title = {{dipbench: the benchmark of {{Deep Image Prior}} and of every untrained image prior after it}},
  author = {{{{The dipbench developers}}}},
  version = {{{version}}},
  year = {{2026}},
}}"""

REFERENCES = Path(__file__).with_name("references.bib")


def signature(result: Result, output: str) -> str:
    """One line: the number, protocol, image with its hash, degradation with its seed, method, versions.

    Two numbers are comparable if and only if protocol, image and degradation agree.
    """
    run = result.run
    scores = {output.output: output.psnr for output in result.outputs}
    if output not in scores:
        raise UserError(f"run {run.key} has no output '{output}': it has {', '.join(scores) or 'none'}")
    protocol, scene, task, method, software, machine = origin_of(result)
    number = "no PSNR" if math.isnan(scores[output]) else f"PSNR {scores[output]:.2f} dB"
    parts = [number, protocol, scene, task, f"{method}:{output}", software, machine]
    return " | ".join([*parts, f"run {run.key}"])


def origin_of(result: Result) -> tuple[str, str, str, str, str, str]:
    """What all numbers of a run share: protocol, scene, task with its seed, method, versions, machine."""
    run, environment = result.run, result.environment
    return (
        run.protocol,
        f"{run.dataset}/{run.image}#{run.pixels}",
        f"{written(run.task)}#seed={run.seed}",
        run.written_method,
        f"dipbench {environment.versions.get('dipbench', 'unknown')} ({(environment.commit or 'release')[:12]})",
        f"torch {environment.versions.get('torch', 'unknown')} on {environment.device}, "
        + (f"instructions {environment.instructions}, " if environment.instructions else "")
        + run.precision
        + (f", engine {result.engine}" if result.engine else ""),
    )


def bibtex(result: Result) -> str:
    """The entries of the method, the data set and the task of a run, and of the dipbench that computed it."""
    papers = list(dict.fromkeys(result.papers or [result.paper]))  # of before a paper may be there twice
    found = {paper: references()[paper] for paper in papers if paper in references()}
    missing = [paper for paper in papers if paper and paper not in references()]
    own = _OWN.format(version=result.environment.versions.get("dipbench", "unknown"))
    return "\n\n".join([*found.values(), own, *(f"% {paper}: no entry in references.bib" for paper in missing)])


@cache
def references() -> dict[str, str]:
    """Every entry of references.bib by the name that plugins give a paper: `doi:...`, `arXiv:...` or `https://...`."""
    entries = [entry.strip() for entry in re.split(r"\n(?=@)", REFERENCES.read_text(encoding="utf-8")) if entry.strip()]
    named = {}
    for entry in entries:
        for field, prefix in (("doi", "doi:"), ("eprint", "arXiv:"), ("url", "")):
            if match := re.search(rf"^\s*{field} = {{(.+)}},$", entry, re.MULTILINE):
                named[prefix + match.group(1)] = entry
    return named


def find_run(name: str, folder: Path) -> Path:
    """The folder of a run: a path to it, or the beginning of its id, looked for in the stores below `folder`.

    UserError for none and for several, with where ids stand.
    """
    if (Path(name) / "result.json").is_file():
        return Path(name)
    found = sorted(path.parent for path in folder.glob(f"**/runs/{escape(name)}*/result.json"))
    if not found:
        raise UserError(f"no run below '{folder}' has an id that begins with '{name}': {_where_ids_stand(folder)}")
    if len({path.name for path in found}) > 1:
        raise UserError(
            f"{len(found)} runs below '{folder}' begin with '{name}': give more of the name, or the folder's path"
        )
    return found[0]


def _where_ids_stand(folder: Path) -> str:
    some = next((path.parent for path in folder.glob("**/runs/*/result.json")), None)
    if some is None:
        return "none lies there; --store takes a folder of results"
    return (
        f"it takes the id of one run, such as {some.name}, and no name of a method; a click on a number of the page "
        f"shows the ids, and so does the column 'run' of the tables in {some.parent.parent}/report/numbers"
    )
