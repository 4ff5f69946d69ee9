"""The imports of the harness run one way: a module imports only modules of the layers below its own."""

import ast
from pathlib import Path

import dipbench

ROOT = Path(dipbench.__file__).parent

LAYERS = [
    {"errors", "version", "cli_options", "scoring", "streams", "interruption", "checkpoints", "processor"},
    {"spec", "download", "published", "resources", "resampling", "text"},
    {"operators", "images", "optimisers", "pinned"},
    {"contract"},
    {"noises", "trace"},
    {"collection", "loading", "enlargement", "arrays", "nets", "tasks", "registry"},
    {"fit", "runs", "suite"},
    {"trial", "plan", "records", "conditions"},
    {"store"},
    {"work", "results", "compare", "citation", "selection", "cost"},
    {"turns", "verdict", "agenda"},
    {"workers", "report", "forecast"},
    {"runner"},
    {"scorecard"},
    {"display", "api", "inventory", "health", "cli_data"},
    {"cli_plan", "cli_score"},
    {"cli"},
]
"""The parts of the package from the bottom up. A part is a module or a folder; within a folder anything goes."""


def imported_parts(path: Path) -> set[str]:
    """The parts of dipbench that a file imports, also inside its functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        found |= {name.split(".")[1] for name in names if name.startswith("dipbench.")}
    return found


def part_of(path: Path) -> str:
    relative = path.relative_to(ROOT)
    return relative.parts[0].removesuffix(".py")


def level(part: str) -> int:
    return next(i for i, layer in enumerate(LAYERS) if part in layer)


def test_every_part_has_a_layer() -> None:
    parts = {part_of(path) for path in ROOT.rglob("*.py")} - {"__init__"}
    parts -= {"methods", "datasets", "published_data"}  # inside the package when it is installed
    assert parts == set().union(*LAYERS)


def test_imports_run_downwards() -> None:
    wrong = []
    for path in ROOT.rglob("*.py"):
        part = part_of(path)
        if part in ("__init__", "methods", "datasets"):
            continue
        for imported in imported_parts(path) & set().union(*LAYERS):
            if imported != part and level(imported) >= level(part):
                wrong.append(f"{path.relative_to(ROOT)} imports {imported}")
    assert not wrong, "\n".join(wrong)


def test_harness_names_no_method_and_no_dataset() -> None:
    wrong = [
        str(path.relative_to(ROOT))
        for path in ROOT.rglob("*.py")
        if part_of(path) not in ("methods", "datasets") and imported_parts(path) & {"methods", "datasets"}
    ]
    assert not wrong, f"these import a plugin by name: {wrong}; ask the registry"
