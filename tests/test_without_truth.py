"""A data set of pictures that only came degraded, and a task that takes them, from a folder outside the project."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

import dipbench
from dipbench.cli.main import app
from dipbench.comparing.verdict import verdicts_of
from dipbench.running.check import checked
from dipbench.store.store import Store
from dipbench.suites.jobs import jobs_of
from dipbench.suites.suite import read_suite

FILES = {
    "found.py": '''"""Two pictures that somebody found, grainy as they are."""

from dataclasses import dataclass

import torch
from torch import Tensor

from dipbench.contract import Dataset


@dataclass(frozen=True)
class Found(Dataset):
    """Waves in grain; of one of them the clean picture was found too, where that is asked for."""

    pairs: bool = False  # whether the clean picture of the first belongs to it

    def names(self) -> list[str]:
        return ["dunes", "sea"]

    def read(self, name: str) -> Tensor | None:
        return self._clean(name) if self.pairs and name == "dunes" else None

    def measured(self, name: str) -> Tensor:
        grain = 0.1 * torch.randn((3, 32, 32), generator=torch.Generator().manual_seed(len(name)))
        return (self._clean(name) + grain).clamp(0, 1)

    def _clean(self, name: str) -> Tensor:
        waves = torch.linspace(0, {"dunes": 6, "sea": 12}[name], 32).sin()
        return (0.5 + 0.3 * waves).expand(3, 32, 32).clone()
''',
    "grain.py": '''"""Removes the grain of a photograph."""

from collections.abc import Collection
from dataclasses import dataclass

from torch import Tensor

from dipbench.contract import Belonging, Problem, Scene, Task
from dipbench.errors import UserError
from dipbench.operators import Identity
from dipbench.scoring import Protocol
from dipbench.streams import Streams


@dataclass(frozen=True)
class Grain(Task):
    """A photograph as it came."""

    secret: bool = False  # whether the measurement is shown to nobody

    @property
    def takes(self) -> Collection[Belonging]:
        return ["measured"]

    def degrade(self, scene: Scene, rng: Streams) -> Problem:
        if scene.measured is None:
            raise UserError("grain takes a picture that came degraded: this scene has none")
        return self.pose(scene.measured)

    def pose(self, measurement: Tensor) -> Problem:
        channels, height, width = measurement.shape
        return Problem("grain", measurement, Identity(), (channels, height, width), sigma=0.1)

    def shown(self, problem: Problem) -> Tensor | None:
        return None if self.secret else super().shown(problem)

    def protocol(self) -> Protocol:
        return Protocol()
''',
    "found.toml": """
title = "Found"
[methods]
dip = "dip[preset=denoising,down=[8,8],skip=[2,2],iterations=12]"
[[experiments]]
name = "grain"
dataset = "{folder}/found.py"
task = "{folder}/grain.py"
methods = ["dip", "nlm", "degraded"]
[experiments.published]
table = "denoising_25"
dataset = "cbm3d9"
rows.nlm = {method = "NLM", stochastic = true}
[[experiments]]
name = "pairs"
dataset = "{folder}/found.py[pairs=true]"
task = "{folder}/grain.py[secret=true]"
methods = ["dip", "nlm"]
""",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files, and the store of the suite with its report."""
    place = tmp_path_factory.mktemp("outside")
    for name, text in FILES.items():
        (place / name).write_text(text.replace("{folder}", str(place)))
    dipbench.run(str(place / "found.toml"), device="cpu", out=place / "out", report=True)
    return place


@pytest.fixture(scope="module")
def store(folder: Path) -> Store:
    return Store.existing(folder / "out")


@pytest.fixture(scope="module")
def results(folder: Path) -> pd.DataFrame:
    return pd.read_parquet(folder / "out" / "index.parquet")


def test_runs_end_well_and_have_no_score(results: pd.DataFrame, store: Store) -> None:
    assert set(results["status"]) == {"done"}
    scored = (results["experiment"] == "pairs") & (results["image"] == "dunes")
    assert scored.any()
    for metric in ("psnr", "ssim"):
        assert (results[metric].notna() == scored).all()
    assert ((results["message"] == "no truth") == ~scored).all()
    for row in results[~scored].itertuples():
        stored = json.loads((store.path / "runs" / row.run / "result.json").read_text())
        assert all(set(output) == {"output", "iteration", "picture"} for output in stored["outputs"])


def test_nothing_is_chosen_with_a_truth_that_there_is_not(results: pd.DataFrame) -> None:
    fits = results[results["method"] == "dip"]
    count = fits.groupby(["experiment", "image"])["output"].nunique()
    assert count["grain", "dunes"] == count["grain", "sea"] == count["pairs", "sea"] == 2
    assert count["pairs", "dunes"] == 4, "with the two oracles"


def test_trace_has_the_misfit_and_no_psnr_to_the_truth(results: pd.DataFrame, store: Store) -> None:
    fit = results[(results["method"] == "dip") & (results["experiment"] == "grain")].iloc[0]
    trace = store.trace(fit["run"])
    assert trace is not None
    assert trace[["psnr", "psnr_ema"]].isna().all(axis=None)
    assert np.allclose(trace["psnr_measurement"], -10 * np.log10(trace["loss"]), atol=1e-4)


def test_the_measurement_is_kept_and_what_nobody_has_is_not(results: pd.DataFrame, store: Store) -> None:
    for row in results.itertuples():
        kept = {path.name for path in (store.path / "problems" / row.measurement).glob("*.png")}
        truth = {"truth.png"} if row.experiment == "pairs" and row.image == "dunes" else set()
        assert kept == ({"degraded.png"} if row.experiment == "grain" else truth)
    one = results[(results["method"] == "degraded") & (results["image"] == "sea")].iloc[0]
    pictures = [store.path / "problems" / one["measurement"] / "degraded.png"]
    pictures += (store.path / "runs" / one["run"]).glob("*.png")
    first, second = (np.asarray(Image.open(picture)) for picture in pictures)
    assert np.array_equal(first, second)


def test_tables_say_so_in_the_place_of_the_number(folder: Path) -> None:
    tables = folder / "out" / "report" / "tables"
    rows = [line for line in (tables / "grain.md").read_text().splitlines() if line.startswith("| nlm")]
    means, psnr, ssim = (row.split(" | ")[1:] for row in rows)
    assert means[:2] == ["no truth"] * 2
    assert re.fullmatch(r"<?\d+\.\d \|", means[2])
    assert psnr[:3] == ["no truth"] * 3
    assert re.fullmatch(r"<?\d+\.\d \|", psnr[3]), "the time is a number"
    assert [cell.rstrip(" |") for cell in ssim] == ["no truth"] * 3
    assert "missing runs" not in (tables / "grain.md").read_text()
    assert "nlm & no truth & no truth &" in (tables / "grain.tex").read_text()
    assert "nlm & no truth & no truth & no truth &" in (tables / "images" / "grain-psnr.tex").read_text()
    numbers = pd.read_csv(tables / "grain.csv")
    assert numbers["PSNR [dB]"].isna().all()
    assert (numbers["notes"] == "no truth").all()


def test_beside_an_image_with_a_truth_only_the_others_have_no_number(folder: Path) -> None:
    text = (folder / "out" / "report" / "tables" / "pairs.md").read_text().partition("| dunes |")[2]  # not the means
    rows = [line.split(" | ")[1:4] for line in text.splitlines() if line.startswith(("| nlm", "| dip", "| *dip"))]
    assert len(rows) == 2 * 5
    for dunes, *others in rows:
        assert 0 < float(dunes.strip("*")) < 60
        assert [cell.rstrip(" |") for cell in others] == ["no truth"] * 2, "no mean over fewer images"
    assert "not asked for" not in text


def test_page_shows_the_pictures_there_are(folder: Path) -> None:
    page = (folder / "out" / "report" / "index.html").read_text()
    assert "<td>no truth</td>" in page
    captions = page.split("<figcaption>")[1:]
    assert sum(caption.startswith("degraded") for caption in captions) == 2
    assert sum(caption.startswith("truth") for caption in captions) == 1
    assert "nan" not in page
    assert (folder / "out" / "report" / "curves" / "grain.png").is_file()


def test_a_comparison_with_published_numbers_says_why_there_is_none(store: Store) -> None:
    (verdict,) = verdicts_of(store.holdings(), store.trace)["grain"]
    assert verdict.text == "not comparable: no truth"


@pytest.mark.parametrize(("kind", "file"), [("dataset", "found.py"), ("task", "grain.py")])
def test_both_keep_the_contract(kind: str, file: str, folder: Path) -> None:
    found = [str(each) for each in checked(kind, str(folder / file))]
    assert not [each for each in found if each.startswith("WRONG")]
    assert kind != "task" or "right  a scene without an image: poses a problem" in found


def test_plan_and_a_second_run_know_what_there_is(folder: Path) -> None:
    again = CliRunner().invoke(app, ["run", str(folder / "found.toml"), "--device", "cpu", "--out", f"{folder}/out"])
    assert again.exit_code == 0, again.output
    assert "0 runs to compute; 10 already computed" in again.output
    for scale in ("full", "smoke"):
        plan = CliRunner().invoke(app, ["plan", str(folder / "found.toml"), "--device", "cpu", "--scale", scale])
        assert plan.exit_code == 0, plan.output


def test_another_measurement_is_another_run(folder: Path, tmp_path: Path) -> None:
    suite = read_suite(str(folder / "found.toml"))
    keys = [{job.run.key for job in jobs_of(suite, [0])}]
    text = (folder / "found.py").read_text()
    try:
        (folder / "found.py").write_text(text.replace("0.1 * torch.randn", "0.2 * torch.randn"))
        keys.append({job.run.key for job in jobs_of(suite, [0])})
    finally:
        (folder / "found.py").write_text(text)
    assert not keys[0] & keys[1]


def test_a_task_that_degrades_refuses_in_words(folder: Path, tmp_path: Path) -> None:
    text = (folder / "found.toml").read_text()
    text = text.partition("[experiments.published]")[0].replace(f"{folder}/grain.py", "denoising")
    (tmp_path / "wrong.toml").write_text(text)
    results = dipbench.run(str(tmp_path / "wrong.toml"), device="cpu", out=tmp_path / "out", report=True)
    assert set(results["status"]) == {"failed"}
    (message,) = set(results["message"])
    assert message.startswith("denoising takes an image, which it degrades, and this scene has none: take a data set")


def test_prose_above_the_curves_speaks_of_a_truth_only_where_there_is_one(folder: Path) -> None:
    page = (folder / "out" / "report" / "index.html").read_text()
    grain, pairs = re.findall(r"<h3>Curves</h3>\s*<p class=\"prose\">\s*(.*?)</p>", page, re.DOTALL)
    assert grain.startswith("The data-fit PSNR, which is all that a method can see")
    assert "truth" not in grain
    assert pairs.startswith("PSNR (vs ground truth)")
