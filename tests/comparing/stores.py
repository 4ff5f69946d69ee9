"""Stores made up by hand, of x4 super-resolution."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from dipbench.spec import parse
from dipbench.store.records import Plan
from dipbench.store.store import Store, write_json
from dipbench.suites.run import Run
from results import LUMA

TASK = {"name": "super_resolution", "settings": {"factor": 4}}


def store(
    folder: Path,
    scores: Mapping[str, Mapping[tuple[str, int], float | None]],
    dataset: str = "set5",
    specs: Mapping[str, str] | None = None,
    *,
    protocol: str = LUMA,
    precision: str = "float32",
    device: str = "cpu",
    pixels: str = "pixels",
    scale: str = "full",
    seconds: float = 2.0,
    trained_on: str = "",
    rule: str = "",
) -> Path:
    """A store with a run of each score, a dB; None is a run that is not computed, NaN one that has no score.

    `rule` was asked of each, as its result writes it, and chose an output of that score too.
    """
    made, runs = Store(folder), []
    name = rule.partition(" ")[0]
    methods = {label: (specs or {}).get(label, label) for label in scores}
    for label, numbers in scores.items():
        for (image, seed), psnr in numbers.items():
            spec = parse(methods[label])
            method = {"name": spec.name, "settings": spec.settings}
            run = Run(dataset, image, pixels, TASK, method, protocol, seed, precision)
            runs.append({"key": run.key, "label": label, "image": image, "seed": seed})
            if psnr is not None:
                content = {
                    "status": "done", "message": "", "run": asdict(run), "seconds": seconds, "precision": precision,
                    "trained_on": trained_on, "watched": [rule] if rule else [],
                    "environment": {"device": device, "versions": {"python": "3.12"}},
                    "outputs": [
                        {"output": output, "iteration": 0, "psnr": psnr, "ssim": 0.9, "picture": "final.png", **more}
                        for output, more in {"final": {}, **({name: {"rule": name}} if rule else {})}.items()
                    ],
                }  # fmt: skip
                with made.new_folder("runs", run.key) as place:
                    write_json(place / "result.json", content)
                    (place / "final.png").write_bytes(b"")
    experiment = {"name": "x4", "dataset": dataset, "task": "super_resolution[factor=4]", "runs": runs}
    made.write_plan(
        Plan.model_validate(
            {
                "name": "sr", "title": "SR", "description": "", "command": "dipbench run sr", "scale": scale,
                "methods": methods, "experiments": [experiment],
            }
        )
    )  # fmt: skip
    return folder
