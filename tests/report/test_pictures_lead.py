"""Where pictures say more than numbers they come first: of photographs without a truth, and of what has views."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from skimage.measure import blur_effect
from skimage.metrics import peak_signal_noise_ratio

import dipbench
from dipbench.running.rescoring import rescore
from dipbench.store.store import Store
from dipbench.suites.jobs import jobs_of
from dipbench.suites.suite import read_suite

PAIR = '''"""A noisy picture and one in another light, of which nobody has the truth."""

from dataclasses import dataclass

import torch
from torch import Tensor

from dipbench.contract import Dataset


@dataclass(frozen=True)
class Pair(Dataset):
    """Waves."""

    def names(self) -> list[str]:
        return ["waves"]

    def measured(self, name: str) -> Tensor:
        grain = 0.1 * torch.randn((3, 40, 32), generator=torch.Generator().manual_seed(0))
        return (self.guide(name) / 2 + grain).clamp(0, 1)

    def guide(self, name: str) -> Tensor:
        return (0.5 + 0.3 * torch.linspace(0, 12, 32).sin()).expand(3, 40, 32).clone()
'''

SUITE = """
title = "Pictures"
metrics = ["psnr_measurement", "blur"]
[methods]
dip = "dip[down=[8,8],iterations=102]"
[[experiments]]
name = "truth"
dataset = "photos[crop=256,side=32]"
images = ["chelsea"]
task = "jpeg[quality=20]"
methods = ["tv[iterations=5]", "degraded"]
[[experiments]]
name = "pair"
dataset = "{folder}/pair.py"
task = "flash[guide=own,multiple=0]"
methods = ["tv[iterations=5]", "degraded"]
[[experiments]]
name = "coarse"
dataset = "photos[crop=256,side=32]"
images = ["chelsea"]
task = "enhancement"
methods = ["dip"]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("pictures")
    (place / "pair.py").write_text(PAIR)
    (place / "pictures.toml").write_text(SUITE.replace("{folder}", str(place)))
    dipbench.run(str(place / "pictures.toml"), device="cpu", out=place / "out", report=True)
    return place


@pytest.fixture(scope="module")
def results(folder: Path) -> pd.DataFrame:
    found = pd.read_parquet(folder / "out" / "index.parquet")
    assert set(found["status"]) == {"done"}
    return found


@pytest.fixture(scope="module")
def sections(folder: Path) -> dict[str, str]:
    page = (folder / "out" / "report" / "index.html").read_text()
    assert "nan" not in page
    return dict(re.findall(r'<section id="(\w+)">(.*?)</section>', page, re.DOTALL))


def levels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path)).astype(np.float64)


@pytest.mark.parametrize(("name", "lead"), [("truth", False), ("pair", True), ("coarse", True)])
def test_pictures_lead_where_there_is_no_truth_or_more_to_see(sections: dict[str, str], name: str, lead: bool) -> None:
    text = sections[name]
    assert (text.index(">Pictures</h3>") < text.index("<table ")) == lead
    assert text.count(">Pictures</h3>") == 1
    assert ('class="leading"' in text) == lead


def test_guide_is_among_the_pictures(sections: dict[str, str], folder: Path) -> None:
    titles = re.findall(r"<figcaption>([^<]*)", sections["pair"])
    assert titles == ["guide", "degraded", "tv"]
    assert not re.findall(r"<figcaption>guide", sections["truth"])


def test_views_stand_beside_each_output_that_was_kept(sections: dict[str, str]) -> None:
    strips = re.findall(r"<h4>chelsea <span class=\"quiet\">(.*?)</span></h4>", sections["coarse"].replace("<wbr>", ""))
    assert strips == ["dip, at 100 iterations", "dip, final"]
    assert re.findall(r"<figcaption>([^<]*)", sections["coarse"])[-3:] == ["output", "detail", "enhanced"]


def test_views_in_the_store_are_those_of_the_output(results: pd.DataFrame, folder: Path) -> None:
    run = results.loc[(results["experiment"] == "coarse"), ["run", "measurement"]].iloc[0]
    place = folder / "out" / "runs" / run["run"]
    (kept,) = [o for o in json.loads((place / "result.json").read_text())["outputs"] if o["output"] == "final_at_100"]
    assert kept["views"] == {"detail": "final_at_100-detail.png", "enhanced": "final_at_100-enhanced.png"}
    photograph = levels(folder / "out" / "problems" / run["measurement"] / "truth.png")
    coarse, detail, enhanced = (levels(place / f"final_at_100{view}.png") for view in ("", "-detail", "-enhanced"))
    assert np.abs(detail - (127.5 + photograph - coarse).clip(0, 255)).max() <= 1.01
    assert np.abs(enhanced - (2 * photograph - coarse).clip(0, 255)).max() <= 1.01
    assert not (folder / "out" / "problems" / run["measurement"] / "degraded.png").exists()


def test_numbers_without_a_truth_are_those_of_the_pictures(results: pd.DataFrame, folder: Path) -> None:
    for experiment in ("truth", "pair"):
        rows = results[results["experiment"] == experiment].set_index("method")
        row = rows.loc["tv[iterations=5]"]
        made = levels(folder / "out" / "runs" / row["run"] / "final.png") / 255
        given = levels(folder / "out" / "problems" / row["measurement"] / "degraded.png") / 255
        assert row["psnr_measurement"] == pytest.approx(peak_signal_noise_ratio(given, made, data_range=1), abs=1e-3)
        assert row["blur"] == pytest.approx(blur_effect(made, channel_axis=-1), abs=1e-4)
        assert rows.loc["degraded", "psnr_measurement"] == np.inf
        assert np.isnan(row["psnr"]) == (experiment == "pair")


def test_they_are_the_same_from_the_pictures_later(results: pd.DataFrame, folder: Path) -> None:
    suite = read_suite(str(folder / "pictures.toml"))
    plain = suite.model_copy(update={"metrics": [], "experiments": suite.experiments[:2]})
    names = {"psnr_measurement", "blur"}
    store = Store(folder / "out")
    for job in jobs_of(plain, [0]):
        result = store.result(job.run.key)
        assert result is not None
        bare = [
            o.model_copy(update={"scores": {n: v for n, v in o.scores.items() if n not in names}})
            for o in result.outputs
        ]
        store.replace_result(result.model_copy(update={"outputs": bare}))
    jobs = jobs_of(suite.model_copy(update={"experiments": suite.experiments[:2]}), [0])
    assert rescore(jobs, store) == []
    for job in jobs:
        result = store.result(job.run.key)
        assert result is not None
        rows = results[results["run"] == job.run.key].set_index("output")
        for output in result.outputs:
            assert {name: output.scores[name] for name in names} == rows.loc[output.output, list(names)].to_dict()
    assert rescore(jobs, store) == []


def test_what_is_no_merit_is_not_picked_out(folder: Path, sections: dict[str, str]) -> None:
    table = r'<table class="images.*?<caption><span>(.*?) of every image(.*?)</table>'
    of = dict(re.findall(table, sections["truth"], re.DOTALL))
    assert 'class="best"' in of["PSNR [dB]"]
    for title in ("data-fit PSNR [dB]", "Blur"):
        assert 'class="best"' not in of[title]
        assert "is better" not in of[title]
    text = (folder / "out" / "report" / "tables" / "truth.md").read_text()
    assert "**truth: Blur.**" in text
    assert "No ground truth is in it" in text
