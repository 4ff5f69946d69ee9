"""Makes up stores of any size, as `dipbench run` would leave them, in seconds: for what is measured of large ones.

Fits have traces of a few hundred iterations that rise and fall, pictures of 64x64 pixels, and records of full length.
Files of equal content are hard links, so that a store of ten thousand runs is written in a minute.
"""

import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from dipbench.images.files import write_image
from dipbench.scoring import Protocol
from dipbench.spec import parse
from dipbench.store.records import (
    Environment,
    Plan,
    PlannedExperiment,
    PlannedRun,
    Result,
    ScoredOutput,
    Variant,
    WrittenFile,
)
from dipbench.store.store import Store, write_json
from dipbench.store.tables import FILE
from dipbench.suites.jobs import Job
from dipbench.suites.run import Run
from dipbench.suites.watched import Watched

ITERATIONS = 500
_TRACES, _PICTURES = 96, 16  # of different content
_SIDE = 64  # pixels
_PROTOCOL = Protocol()
_DIRECT = ("bm3d", "nlm", "wavelet", "tv", "bicubic", "lanczos", "bilinear", "nearest", "degraded", "biharmonic")
_RECIPE = {
    "preset": "denoising",
    "variant": "code",
    "iterations": ITERATIONS,
    "average": 0.99,
    "backtrack": 5.0,
    "weight_noise": 0.0,
    "starts": 1,
    "input": "noise",
    "input_channels": 32,
    "down": [128] * 5,
    "up": [128] * 5,
    "skip": [4] * 5,
    "down_kernel": 3,
    "up_kernel": 3,
    "skip_kernel": 1,
    "upsampling": "bilinear",
    "downsampling": "stride",
    "padding": "reflection",
    "adam_epsilon": "corrected",
}
_HERE = Environment(
    device="cpu (a processor, 1 threads)",
    instructions="avx512_bf16",
    threads=1,
    platform="Linux-6.18-x86_64-with-glibc2.36",
    versions={
        "python": "3.11.7",
        "dipbench": "0.1.0",
        "torch": "2.15.0",
        "torchvision": "0.29.2",
        "numpy": "2.4.6",
        "scipy": "1.17.1",
        "pandas": "3.1.1",
        "pyarrow": "26.0.1",
        "scikit-image": "0.26.0",
        "pillow": "13.0.0",
    },
    commit="0123456789abcdef0123456789abcdef01234567",
)


@dataclass(frozen=True)
class Layout:
    """What is in a store: every method on every image of every experiment with every seed."""

    experiments: int
    images: int
    fits: int  # methods that are fitted; from nine on they are a grid of two settings
    direct: int  # methods of one estimate
    seeds: int

    @property
    def runs(self) -> int:
        """How many."""
        return self.experiments * self.images * (self.fits + self.direct) * self.seeds


LAYOUTS = {
    layout.runs: layout
    for layout in (
        Layout(2, 2, 3, 8, 1),  # 44, as the quickstart
        Layout(1, 24, 6, 6, 3),  # 864: all of Kodak
        Layout(17, 4, 3, 7, 3),  # 2,040
        Layout(17, 4, 49, 0, 3),  # 9,996: a study of settings
        Layout(1, 24, 6, 133, 3),  # 10,008: all of Kodak, many methods
        Layout(170, 4, 49, 0, 3),  # 99,960
    )
}
"""By the number of runs, those that are measured."""


def forge(path: Path, layout: Layout) -> list[Job]:
    """Writes a store of that layout into a new folder; the jobs that asked for its runs."""
    store, pool = Store(path), _Pool(path.with_name(f"{path.name}-files"))
    jobs = list(jobs_of(layout))
    for job in jobs:
        _write(store, job, pool)
    store.write_plan(plan_of(jobs))
    return jobs


def jobs_of(layout: Layout) -> Iterator[Job]:
    """The jobs of a store of that layout."""
    methods = {**_fits(layout.fits), **{_direct(number): (_direct(number), {}) for number in range(layout.direct)}}
    for number, image, seed in product(range(layout.experiments), range(layout.images), range(layout.seeds)):
        task = {"name": "denoising", "settings": {"sigma": 15.0 + number, "clip": True}}
        for label, (name, settings) in methods.items():
            run = Run(
                *("photos", f"picture{image:02}", f"{image:016x}", task, {"name": name, "settings": settings}),
                *(_PROTOCOL.signature, seed, "float32", {"task": 1, "method": 1, "fit": 1}),
            )
            specs = parse("photos[side=64]"), parse(f"denoising[sigma={15 + number}]"), parse(label)
            yield Job(f"denoising {15 + number}", label, run, *specs, Watched(), (), _PROTOCOL)


def plan_of(jobs: list[Job]) -> Plan:
    """What a command would have asked for."""
    experiments: dict[str, list[Job]] = {}
    for job in jobs:
        experiments.setdefault(job.experiment, []).append(job)
    return Plan(
        name="forged",
        title="Forged",
        description="Made up.",
        command="python benchmarks/large_stores.py",
        methods={job.label: str(job.method) for job in jobs},
        variants={job.label: Variant(label=job.label, code=job.run.code) for job in jobs},
        experiments=[
            PlannedExperiment(
                name=name, dataset=str(of[0].dataset), task=str(of[0].task), runs=[_planned(job) for job in of]
            )
            for name, of in experiments.items()
        ],
    )


def _planned(job: Job) -> PlannedRun:
    run = job.run
    return PlannedRun(key=run.key, label=job.label, image=run.image, seed=run.seed, measurement=run.measurement_key)


def _fits(count: int) -> dict[str, tuple[str, dict[str, Any]]]:
    """Label -> name and settings."""
    side = int(np.ceil(np.sqrt(count)))
    grid = [(round(0.01 / 2**row, 8), round(0.1 * column / side, 4)) for row in range(side) for column in range(side)]
    return {
        f"dip[learning_rate={rate},jitter={jitter}]": ("dip", {**_RECIPE, "learning_rate": rate, "jitter": jitter})
        for rate, jitter in grid[:count]
    }


def _direct(number: int) -> str:
    name, further = _DIRECT[number % len(_DIRECT)], number // len(_DIRECT)
    return name if not further else f"{name}_{further}"


def _write(store: Store, job: Job, pool: "_Pool") -> None:
    run, draw = job.run, np.random.default_rng(int(job.run.key, 16))
    problem = store.path / "problems" / run.measurement_key
    if not problem.is_dir():
        problem.mkdir()
        os.link(pool.picture(int(run.pixels, 16)), problem / "truth.png")
        os.link(pool.picture(int(run.pixels, 16) + 1), problem / "degraded.png")
    fitted = "iterations" in run.method["settings"]
    strength = 0.02 * sum(map(ord, job.label)) % 3 + int(run.pixels, 16) % 5 + float(draw.normal(0, 0.2))
    number = int(draw.integers(_TRACES))
    outputs = _outputs_of_fit(pool.peaks(number), strength) if fitted else _outputs_of_direct(24 + strength)
    more: dict[str, Any] = {"engine": "eager", "precision": "float32", "fitted": 2217831} if fitted else {}
    sources = {FILE: pool.trace(number) if fitted else pool.single()}
    sources |= {output.picture: pool.picture(int(draw.integers(_PICTURES))) for output in outputs}
    result = Result(
        status="done",
        run=run,
        environment=_HERE,
        outputs=outputs,
        paper="arXiv:1711.10925",
        started="2026-02-03T04:05:06+00:00",
        wall_seconds=31.0,
        seconds=30.0 if fitted else 0.5,
        peak_memory_bytes=900_000_000,
        parameters=run.method["settings"],
        files={name: pool.was(source) for name, source in sources.items()},
        papers=["arXiv:1711.10925"],
        **more,
    )
    folder = store.path / "runs" / run.key
    folder.mkdir()
    write_json(folder / "run.json", asdict(run))
    write_json(folder / "result.json", result.content())
    for name, source in sources.items():
        os.link(source, folder / name)


def _outputs_of_fit(peaks: dict[str, tuple[int, float]], strength: float) -> list[ScoredOutput]:
    return [
        ScoredOutput(
            output=name,
            iteration=at,
            scores={"psnr": psnr + strength, "ssim": (psnr + strength) / 40},
            picture=f"{name}.png",
            **(dict[str, Any](rule="discrepancy", fired=at) if name.startswith("discrepancy") else {}),
        )
        for name, (at, psnr) in peaks.items()
    ]


def _outputs_of_direct(psnr: float) -> list[ScoredOutput]:
    scores = {"psnr": psnr, "ssim": psnr / 40}
    return [ScoredOutput(output="final", iteration=0, scores=scores, picture="final.png")]


class _Pool:
    """Files that runs are links to, each written once."""

    def __init__(self, folder: Path):
        folder.mkdir()
        self._folder = folder
        self._known: dict[Path, WrittenFile] = {}
        self._traces = [_trace(number) for number in range(_TRACES)]
        for number, trace in enumerate(self._traces):
            trace.to_parquet(self.trace(number), index=False)
        self._traces[0][:1].to_parquet(self.single(), index=False)
        for number in range(_PICTURES):
            write_image(self.picture(number), _picture(number))

    def trace(self, number: int) -> Path:
        return self._folder / f"{number}.parquet"

    def single(self) -> Path:
        """The trace of a method of one estimate."""
        return self._folder / "single.parquet"

    def was(self, file: Path) -> WrittenFile:
        """What a result says of a file."""
        if file not in self._known:
            self._known[file] = WrittenFile.of(file)
        return self._known[file]

    def picture(self, number: int) -> Path:
        return self._folder / f"{number % _PICTURES}.png"

    def peaks(self, number: int) -> dict[str, tuple[int, float]]:
        """Of each output the iteration and the PSNR in dB."""
        trace = self._traces[number]
        at, at_ema, last = int(trace["psnr"].argmax()), int(trace["psnr_ema"].argmax()), len(trace) - 1
        where = {"final": ("psnr", last), "ema": ("psnr_ema", last), "best": ("psnr", at)}
        where |= {"best_ema": ("psnr_ema", at_ema), "discrepancy": ("psnr", 200), "discrepancy_ema": ("psnr_ema", 200)}
        return {name: (place, float(trace[signal].iloc[place])) for name, (signal, place) in where.items()}


def _trace(number: int) -> pd.DataFrame:
    draw, at = np.random.default_rng(number), np.arange(ITERATIONS)
    peak, scale = 100 + 2 * number, 20 + number % 10
    psnr = 26 - 14 * np.exp(-at / scale) - 0.006 * np.maximum(at - peak, 0) + draw.normal(0, 0.15, ITERATIONS)
    loss = 0.06 * np.exp(-at / scale) + 0.01 / (1 + at / 100)
    ema = pd.Series(psnr).ewm(alpha=0.05).mean().to_numpy() + 1
    still = 1e-3 * (0.3 + np.abs(at - peak) / ITERATIONS)
    variance = np.where(at < 100, np.nan, still + draw.uniform(0, 1e-5, ITERATIONS))
    columns = {
        "loss": loss,
        "psnr": psnr,
        "psnr_ema": ema,
        "psnr_measurement": -10 * np.log10(loss),
        "variance": variance,
        "ema_variance": still,
    }
    floats = {name: values.astype("float32") for name, values in columns.items()}
    return pd.DataFrame({"iteration": at.astype("int32"), **floats})


def _picture(number: int) -> torch.Tensor:
    draw = torch.Generator().manual_seed(number)
    ramp = torch.linspace(0, 0.6, _SIDE).expand(3, _SIDE, _SIDE)
    return (ramp + number / 40 + 0.1 * torch.randn((3, _SIDE, _SIDE), generator=draw)).clamp(0, 1)
