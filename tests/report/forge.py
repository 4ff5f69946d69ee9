"""Makes up stores by hand, with everything in them that a report must cope with."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from dipbench.images.files import write_image
from dipbench.store.records import Plan
from dipbench.store.store import Store, write_json
from dipbench.suites.run import Run

USUAL = "peak:1|channels:all|border:0+0|quantisation:none"
OTHER = "peak:1|channels:luma|border:4+4|quantisation:round"
DIVERGED = {"output": "final", "iteration": 399, "picture": "final.png"}  # an output that has no score
PEAK = 137  # iteration; a thinning by tens would drop it
SEEDS = (0, 1)
DEGRADED_PSNR = 20.0  # dB
IMAGES = ("astronaut", "50%_off & <b>")  # a name that every format must escape
REASON = "needs the noise level"
TRAINED_ON = "400 photographs & <more>"
ERROR = "ValueError: no <good> (run, line 3 of broken.py)"

ENVIRONMENT = {
    "device": "cpu (a processor, 2 threads)",
    "threads": 2,
    "platform": "Linux",
    "versions": {"python": "3.12", "dipbench": "0.1.0", "torch": "2.7"},
    "commit": "0123abcd",
}


def picture(shade: float) -> Tensor:
    """(3, 48, 64): a ramp with a chequered corner, brightened by `shade`."""
    rows, columns = torch.meshgrid(torch.arange(48), torch.arange(64), indexing="ij")
    corner = ((rows + columns) % 2).float() * ((rows < 16) & (columns > 44)).float()
    return torch.stack([columns / 90 + shade, rows / 90 + shade, corner]).clamp(0, 1)


def rising_and_falling(peak: float, length: int) -> pd.DataFrame:
    """A trace whose raw PSNR is `peak` at iteration PEAK and lower everywhere else."""
    iteration = np.arange(length)
    raw = peak - 12 * np.exp(-iteration / 30) - 0.004 * np.abs(iteration - PEAK)
    raw[PEAK] = peak
    columns = {
        "loss": 1 / (1 + iteration),
        "psnr": raw,
        "psnr_ema": raw + 0.3,
        "psnr_measurement": 15 + iteration / 30,
    }
    return pd.DataFrame(
        {"iteration": iteration.astype("int32"), **{k: v.astype("float32") for k, v in columns.items()}}
    )


class Forge:
    """Writes runs into a store as the runner would, with results that are given."""

    def __init__(self, store: Store):
        self.store = store
        self.experiments: list[dict[str, Any]] = []

    def experiment(self, name: str, task: str) -> None:
        self.experiments.append({"name": name, "dataset": "photos[side=64]", "task": f"{task}[sigma=25]", "runs": []})

    def asked_for(self, label: str, image: str, seed: int, key: str = "") -> None:
        """A run of the latest experiment that the plan names; without the key of one in the store it is missing."""
        key = key or f"{label} {image} {seed}"
        self.experiments[-1]["runs"].append({"key": key, "label": label, "image": image, "seed": seed})

    def run(self, label: str, image: str, seed: int, result: dict[str, Any], trace: pd.DataFrame | None = None) -> Run:
        """A run of the latest experiment; `method` of the result is what it ran with, its label if there is none."""
        experiment = self.experiments[-1]
        task = {"name": experiment["task"].partition("[")[0], "settings": {"sigma": 25.0}}
        protocol = result.pop("protocol", USUAL)
        method = result.pop("method", {"name": label, "settings": {}})
        run = Run("photos", image, "pixels", task, method, protocol, seed)
        self.asked_for(label, image, seed, run.key)
        record = {
            "status": "done",
            "message": "",
            "mendable": False,
            "run": asdict(run),
            "started": "2026-02-03T04:05:06+00:00",
            "wall_seconds": 2.0,
            "environment": ENVIRONMENT,
            "outputs": [],
            **result,
        }
        self._write(run, record, trace)
        return run

    def done(self, label: str, image: str, seed: int, psnrs: dict[str, float], **facts: Any) -> Run:
        """A run that ended well, with an output of each PSNR; it iterates where it has more than one."""
        outputs = [
            {"output": o, "iteration": PEAK if "best" in o else 399, "psnr": p, "ssim": p / 40, "picture": f"{o}.png"}
            for o, p in psnrs.items()
        ]
        trace = rising_and_falling(psnrs.get("best", psnrs["final"]), 400 if len(psnrs) > 1 else 1 + PEAK)
        usual = {"seconds": 1.5, "peak_memory_bytes": 10, "parameters": {"width": 8}, "licence": "", "paper": ""}
        return self.run(
            label, image, seed, {**usual, "outputs": outputs, **facts}, trace if len(psnrs) > 1 else trace[:1]
        )

    def _write(self, run: Run, record: dict[str, Any], trace: pd.DataFrame | None) -> None:
        if not self.store.has_problem(run.measurement_key):
            with self.store.new_folder("problems", run.measurement_key) as folder:
                write_image(folder / "truth.png", picture(0))
                write_image(folder / "degraded.png", picture(DEGRADED_PSNR / 400))
        with self.store.new_folder("runs", run.key) as folder:
            if trace is not None:
                trace.to_parquet(folder / "trace.parquet", index=False)
            for output in record["outputs"]:
                write_image(folder / output["picture"], picture(output.get("psnr", 0.0) / 400))
            write_json(folder / "result.json", record)

    def plan(self) -> None:
        content = {
            "name": "test",
            "title": "A <test> & more",
            "description": "Made up.",
            "command": "dipbench run test --seeds 2",
            "methods": {run["label"]: run["label"] for e in self.experiments for run in e["runs"]},
            "experiments": self.experiments,
        }
        self.store.write_plan(Plan.model_validate(content))


def dip_psnrs(image: str, seed: int) -> dict[str, float]:
    """The PSNR of each output of the made-up prior, dB."""
    last = 27.0 + 0.4 * seed + (1.5 if image == IMAGES[0] else 0)
    return {"final": last, "ema": last + 1.01, "best": last + 3, "best_ema": last + 4}


def bm3d_psnr(image: str, seed: int) -> float:
    """The PSNR of the made-up closed-form method, dB: between the averages and the peaks of the prior on IMAGES[0]."""
    return 29.123 + 0.2 * seed


def denoising(forge: Forge) -> None:
    forge.experiment("denoising", "denoising")
    for image in IMAGES:
        for seed in SEEDS:
            forge.done(
                "dip", image, seed, dip_psnrs(image, seed), paper="arXiv:1711.10925", parameters={"down": [8, 8]}
            )
            forge.done("bm3d", image, seed, {"final": bm3d_psnr(image, seed)}, licence="non-commercial use only")
            forge.done("luma", image, seed, {"final": 35.0}, protocol=OTHER)
            forge.done("trained", image, seed, {"final": 34.0}, trained_on=TRAINED_ON)
            if image == IMAGES[0]:
                forge.done("choosy", image, seed, {"final": 33.0})
            else:
                forge.run("choosy", image, seed, {"status": "refused", "message": REASON})
            forge.run("broken", image, seed, {"status": "failed", "message": ERROR})
            forge.done("degraded", image, seed, {"final": DEGRADED_PSNR})


def inpainting(forge: Forge) -> None:
    """Of which the runs of one method name the instructions that acted, which those of earlier versions do not."""
    forge.experiment("in/painting", "inpainting")
    for image in IMAGES:
        forge.done("dip", image, 0, dip_psnrs(image, 0))
        forge.done("tv", image, 0, {"final": 28.0}, environment=ENVIRONMENT | {"instructions": "avx512_bf16"})


def sweep(
    forge: Forge,
    rates: Sequence[float],
    jitters: Sequence[float],
    final: Callable[[float, float], float],
    other: bool = False,
) -> None:
    """A made-up prior with every rate and jitter on two images, and a method beside it; `other`: one differs more."""
    forge.experiment("sweep", "denoising")
    for image in ("a", "b"):
        for rate, jitter in product(rates, jitters):
            settings = {"preset": "denoising", "learning_rate": rate, "jitter": jitter, "width": 8}
            if other and (rate, jitter) == (rates[0], jitters[0]):
                settings["width"] = 16
            last = final(rate, jitter)
            psnrs = {"final": last, "ema": last + 1, "best": last + 3, "best_ema": last + 3.3}
            label = f"dip[learning_rate={rate},jitter={jitter}]"
            forge.done(label, image, 0, psnrs, method={"name": "dip", "settings": settings})
        forge.done("bm3d", image, 0, {"final": 28.0})
