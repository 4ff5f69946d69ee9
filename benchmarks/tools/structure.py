"""Prints how the package is laid out: modules and folders, levels, cycles, and the lengths of functions and files.

    python benchmarks/tools/structure.py            # of this checkout
    python benchmarks/tools/structure.py PACKAGE    # of another folder that holds a package `dipbench`

Every import counts, also one inside a function. The levels are those that tests/test_layers.py holds.
"""

import ast
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

PACKAGE = Path(__file__).parent.parent.parent / "dipbench"

LEVELS = [
    {"code", "disk", "errors", "foreign", "version", "streams", "scoring", "optimisers", "processor", "rounding"},
    {"images", "published", "resources", "spec", "text"},
    {"metrics", "operators"},
    {"contract"},
    {"noises"},
    {"validations"},
    {"trace"},
    {"data", "nets", "registry"},
    {"classifiers"},
    {"tasks"},
    {"fit"},
    {"bases"},
    {"suites"},
    {"store"},
    {"comparing"},
    {"running"},
    {"report"},
    {"api"},
    {"cli", "__init__"},
]
"""The parts of the package from the bottom up. A part is a module or a folder; within a folder anything goes."""


def part_of(path: Path, package: Path) -> str:
    """The module at the top, or the folder, that a file belongs to."""
    return path.relative_to(package).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[str]:
    """The modules of dipbench that a file imports, as `dipbench.part.module`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = (alias.name for alias in node.names)
            yield from ("dipbench.__init__" if name == "dipbench" else name for name in names if _is_ours(name))
        elif isinstance(node, ast.ImportFrom) and node.module == "dipbench":
            yield from (f"dipbench.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("dipbench."):
            yield node.module or ""


def _is_ours(name: str) -> bool:
    return name == "dipbench" or name.startswith("dipbench.")


def arrows(package: Path) -> dict[tuple[str, str], list[str]]:
    """Part and the part that it imports -> the files that do so."""
    found: dict[tuple[str, str], list[str]] = {}
    for path in sorted(package.rglob("*.py")):
        part = part_of(path, package)
        for name in imports(path):
            if (other := name.split(".")[1]) != part:
                found.setdefault((part, other), []).append(str(path.relative_to(package)))
    return found


def upward(package: Path) -> list[str]:
    """A line for every arrow against the levels."""
    level = {part: number for number, parts in enumerate(LEVELS) for part in parts}
    return [
        f"{', '.join(sorted(set(files)))} imports {other}"
        for (part, other), files in arrows(package).items()
        if part in level and other in level and level[other] >= level[part]
    ]


def cycles(package: Path) -> list[set[str]]:
    """The parts that reach each other, a set for each knot."""
    edges = set(arrows(package))
    reached = {part: _reached(part, edges) for part in {part for part, _ in edges}}
    knots = {frozenset({part, *(o for o in there if part in reached.get(o, set()))}) for part, there in reached.items()}
    return [set(knot) for knot in knots if len(knot) > 1]


def _reached(part: str, edges: set[tuple[str, str]]) -> set[str]:
    found: set[str] = set()
    waiting = [part]
    while waiting:
        one = waiting.pop()
        new = {other for source, other in edges if source == one} - found
        found |= new
        waiting += new
    return found


def functions(package: Path) -> list[int]:
    """The lines of every function, its docstring and its signature counted."""
    nodes = [node for path in package.rglob("*.py") for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))]
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return sorted((node.end_lineno or 0) - node.lineno + 1 for node in nodes if isinstance(node, kinds))


def main(package: Annotated[Path, typer.Argument(help="The folder of the package.")] = PACKAGE) -> None:
    """Prints the figures."""
    files = sorted(package.rglob("*.py"))
    lengths = functions(package)
    long = [path.relative_to(package) for path in files if len(path.read_text(encoding="utf-8").splitlines()) > 300]
    top = sorted(path.stem for path in package.glob("*.py"))
    folders = sorted(path.parent.name for path in package.glob("*/__init__.py"))
    print(f"modules at the top: {len(top)} ({', '.join(top)})")
    print(f"folders: {len(folders)} ({', '.join(folders)})")
    print(f"cycles: {len(cycles(package))}", *(f"  {', '.join(sorted(knot))}" for knot in cycles(package)), sep="\n")
    print(f"arrows against the levels: {len(upward(package))}", *(f"  {line}" for line in upward(package)), sep="\n")
    percentile = statistics.quantiles(lengths, n=10)[-1]
    print(f"functions: {len(lengths)}, median {statistics.median(lengths):g} lines, nine in ten at most {percentile:g}")
    print(f"files: {len(files)}, over 300 lines: {len(long)}", *(f"  {path}" for path in long), sep="\n")


if __name__ == "__main__":
    typer.run(main)
