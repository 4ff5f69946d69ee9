"""Inversion of a classifier and activation maximisation: what they pose, what they score, and what they refuse."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from stepping import fit
from torch import Tensor
from typer.testing import CliRunner

import dipbench
from dipbench import registry
from dipbench.classifiers import classes_of, layer_of
from dipbench.cli.main import app
from dipbench.contract import Problem, Scene, Task
from dipbench.data.loading import load
from dipbench.errors import UserError
from dipbench.images.files import read_image
from dipbench.metrics import OF_TASKS
from dipbench.report.chapters import chapters_of
from dipbench.running.check.methods import complaint_about
from dipbench.running.recording import refusal
from dipbench.store.store import Store
from dipbench.streams import Streams

pytestmark = pytest.mark.usefixtures("paper_data")

INVERSION = "inversion[side=64,layer=fire5]"
CHANNEL = "activation_maximization[side=64,layer=fire5,unit=3]"
CLASS = "activation_maximization[side=64,layer=logits,unit=340]"


def posed(task: str, image: Tensor | None = None) -> tuple[Task, Scene, Problem]:
    built: Task = registry.build("task", task)
    scene = built.prepare(Scene(image))
    return built, scene, built.degrade(scene, Streams(0))


# Inversion


def test_the_misfit_is_the_mean_squared_difference_of_the_features(photo: Tensor) -> None:
    _, _, problem = posed(INVERSION, photo)
    layer, other = layer_of("squeezenet1_1", "fire5"), photo.flip(-1)
    expected = (layer(other[None]) - layer(photo[None])).square().mean()
    torch.testing.assert_close(problem.misfit(other[None]), expected)
    assert float(problem.misfit(photo)) == 0
    assert (problem.shape, problem.pictured, problem.factor, problem.sigma) == ((3, 64, 64), False, 1, None)


def test_building_is_reduced_as_the_official_notebook_does(paper_data: Path) -> None:
    """227 to 224 pixels by Pillow's Lanczos filter; a file of that size is taken as it is."""
    image = load(registry.build("dataset", "dip_photos"), "building")
    whole, slip = (registry.build("task", f"inversion[side={side}]").prepare(image).image for side in (227, 224))
    assert torch.equal(whole, image.image)
    with Image.open(paper_data / "dip_extra" / "feature_inversion" / "building.jpg") as file:
        expected = np.asarray(file.convert("RGB").resize((224, 224), Image.Resampling.LANCZOS)) / 255
    np.testing.assert_allclose(slip.permute(1, 2, 0).numpy(), expected, atol=1e-6)


def test_an_oblong_photograph_loses_its_ends(photo: Tensor) -> None:
    _, scene, problem = posed("inversion[side=32]", photo[:, :, :48])
    assert problem.shape == (3, 32, 32)
    assert scene.origin is None


def test_scores_are_the_relative_error_and_whether_the_class_is_the_same(photo: Tensor) -> None:
    task, scene, problem = posed(INVERSION, photo)
    assert task.scores(photo, scene.image, problem) == {"feature_error": 0, "same_class": 1}
    black = torch.zeros_like(photo)
    features = [layer_of("squeezenet1_1", "fire5")(picture[None]).flatten() for picture in (black, photo)]
    classes = [int(classes_of("squeezenet1_1")(picture[None]).argmax()) for picture in (black, photo)]
    scored = task.scores(black, scene.image, problem)
    expected = torch.linalg.vector_norm(features[0] - features[1]) / torch.linalg.vector_norm(features[1])
    assert scored["feature_error"] == pytest.approx(float(expected), rel=1e-5)
    assert classes[0] != classes[1]
    assert scored["same_class"] == 0
    assert np.isnan(task.scores(black * torch.nan, scene.image, problem)["same_class"])


# Activation maximisation


def test_a_channel_is_maximised_in_its_window(photo: Tensor) -> None:
    task, scene, problem = posed(CHANNEL)
    assert scene.image is None
    activation = layer_of("squeezenet1_1", "fire5")(photo[None])[0, 3]
    assert float(problem.misfit(photo[None])) == pytest.approx(-5 * float(activation.sum()), rel=1e-5)
    assert task.scores(photo, None, problem)["activation"] == pytest.approx(float(activation.mean()), rel=1e-5)
    _, _, narrow = posed(CHANNEL.replace("]", ",half_width=1]"))
    assert activation.shape == (7, 7)
    assert float(narrow.misfit(photo)) == pytest.approx(-5 * float(activation[2:4, 2:4].sum()), rel=1e-5)


def test_a_class_is_driven_to_300(photo: Tensor) -> None:
    task, _, problem = posed(CLASS, photo)
    number = float(classes_of("squeezenet1_1")(photo[None])[0, 340])
    assert float(problem.misfit(photo)) == pytest.approx(5 * (300 - number), rel=1e-6)
    assert task.scores(photo, None, problem) == {"activation": pytest.approx(number, rel=1e-5)}
    assert problem.task == "activation_maximization_class"


def test_the_picture_does_not_depend_on_the_seed_of_a_measurement() -> None:
    task: Task = registry.build("task", CHANNEL)
    first, second = (task.degrade(Scene(None), Streams(seed)) for seed in (0, 1))
    assert torch.equal(first.measurement, second.measurement)


# Fits


@pytest.mark.parametrize("task", [INVERSION, CHANNEL, CLASS.replace("logits", "conv10")])
@pytest.mark.parametrize("method", ["dip[down=[8,8],skip=[2,2],learning_rate=0.01]", "no_prior[start=0.5]", "tv_prior"])
def test_a_few_steps_bring_it_nearer(photo: Tensor, task: str, method: str) -> None:
    _, _, problem = posed(task, photo)
    prior = replace(registry.build("method", method), iterations=12)
    losses = [float(step.misfit) for step in fit(prior, problem, Streams(0))]
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("name", registry.names("method"))
@pytest.mark.parametrize("task", ["inversion", "activation_maximization"])
@pytest.mark.parametrize(("channels", "height", "width"), [(3, 32, 32), (1, 48, 40), (3, 45, 37)])
def test_method_takes_it_or_refuses_it(
    photo: Tensor, name: str, task: str, channels: int, height: int, width: int
) -> None:
    cls: Any = registry.find("task", task)
    tiny: Task = cls.tiny()
    problem = tiny.degrade(tiny.prepare(Scene(photo[:channels, :height, :width])), Streams(0))
    assert complaint_about(registry.find("method", name).tiny(), problem) == ""


def test_what_takes_a_picture_refuses_in_words_and_priors_take_it(photo: Tensor) -> None:
    _, _, problem = posed(INVERSION, photo)
    for name in ("degraded", "tv", "bicubic", "deep_decoder"):
        assert refusal(registry.build("method", name), problem) == "what was measured is no picture"
    for name in ("dip", "no_prior", "tv_prior", "sgld"):
        assert refusal(registry.build("method", name), problem) is None
    validated = registry.build("method", "no_prior[validation=holdout]")
    assert refusal(validated, problem) == "validation 'holdout' takes a measurement that is a picture"


# What is wrong


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ("inversion[side=65]", r"inversion: an image of 64x64 is smaller than the 65 pixels .*or inversion\[side=64\]"),
        ("inversion[side=16]", "side must be at least 17 pixels, for squeezenet1_1, got 16"),
        ("inversion[side=64,layer=fc6]", "squeezenet1_1 has no layer 'fc6': it has conv1, fire2"),
        ("activation_maximization[side=16]", "for squeezenet1_1, got 16"),
        (
            "activation_maximization[unit=512]",
            "unit must be below 512, of layer 'fire9' of squeezenet1_1, got 512",
        ),
        (
            "activation_maximization[layer=logits,unit=1000]",
            "unit must be below 1000, of layer 'logits' of",
        ),
        ("activation_maximization[layer=conv4]", "squeezenet1_1 has no layer 'conv4'"),
    ],
)
def test_what_cannot_be_posed_is_said(photo: Tensor, task: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        posed(task, photo)


def test_a_classifier_that_there_is_not_is_named() -> None:
    with pytest.raises(UserError, match=r"classifier must be .*, got 'resnet'"):
        registry.build("task", "inversion[classifier=resnet]")


@pytest.mark.parametrize("task", ["inversion", "activation_maximization"])
def test_restoring_a_file_by_it_is_refused_in_words(task: str, photo: Tensor) -> None:
    with pytest.raises(UserError, match="dipbench run"):
        registry.build("task", task).pose(photo)


# A suite of both

SUITE = """
title = "Seen"
[methods]
dip = "dip[down=[8,8],skip=[2,2],iterations=4]"
[[experiments]]
name = "inverted"
dataset = "photos[crop=256,side=64]"
images = ["chelsea", "astronaut"]
task = "inversion[side=64,layer=fire5]"
methods = ["dip", "no_prior[iterations=4]", "degraded"]
[[experiments]]
name = "made up"
dataset = "nothing"
task = "activation_maximization[side=64,layer=fire5]"
methods = ["dip", "no_prior[iterations=4]", "degraded"]
[[experiments]]
name = "missing"
dataset = "nothing"
task = "activation_maximization[classifier=alexnet,layer=conv4]"
methods = ["no_prior[iterations=4]"]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A suite, its store and its report."""
    place = tmp_path_factory.mktemp("seen")
    (place / "seen.toml").write_text(SUITE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TORCH_HOME", str(place / "torch"))
        patch.setenv("DIPBENCH_DATA", str(Path(__file__).resolve().parents[2] / "shared" / "datasets"))
        dipbench.run(str(place / "seen.toml"), device="cpu", out=place / "out", report=True)
    return place


@pytest.fixture(scope="module")
def results(folder: Path) -> pd.DataFrame:
    return pd.read_parquet(folder / "out" / "index.parquet")


def test_runs_end_and_what_lacks_its_weights_fails_alone(results: pd.DataFrame) -> None:
    status = results.groupby(["experiment", "method"])["status"].unique().str[0]
    assert (status["missing"] == "failed").all()
    assert results.loc[results["experiment"] == "missing", "message"].str.contains("alexnet-owt-7be5be79.pth").all()
    for experiment in ("inverted", "made up"):
        assert status[experiment, "degraded"] == "refused"
        assert status[experiment].drop("degraded").eq("done").all()


def test_numbers_of_the_tasks_are_columns_beside_the_metrics(results: pd.DataFrame) -> None:
    done = results[results["status"] == "done"]
    inverted, made = (done[done["experiment"] == name] for name in ("inverted", "made up"))
    assert inverted[["psnr", "ssim", "feature_error", "same_class"]].notna().all(axis=None)
    assert inverted["activation"].isna().all()
    assert made["activation"].notna().all()
    assert made[["psnr", "ssim", "feature_error", "same_class"]].isna().all(axis=None)
    assert set(made["message"]) == {"no truth"}
    assert set(made["output"]) == {"final", "ema"}, "no oracle"


def test_pictures_and_traces(folder: Path, results: pd.DataFrame) -> None:
    store = Store.existing(folder / "out")
    for run in results[results["status"] == "done"].itertuples():
        kept = {path.name for path in (store.path / "problems" / run.measurement).glob("*.png")}
        assert kept == ({"truth.png"} if run.experiment == "inverted" else set())
        assert read_image(store.path / "runs" / run.run / "final.png").shape == (3, 64, 64)
        trace = store.trace(run.run)
        assert trace is not None
        assert "psnr_measurement" not in trace.columns
        assert trace["loss"].notna().all()


def test_the_table_leads_with_what_was_scored(folder: Path) -> None:
    tables = folder / "out" / "report" / "tables"
    made = (tables / "made-up.md").read_text()
    assert made.index(OF_TASKS["activation"].title) < made.index("PSNR")
    assert "feature error" not in made
    inverted = (tables / "inverted.md").read_text()
    captions = [line.removeprefix("**inverted: ") for line in inverted.splitlines() if line.startswith("**")]
    assert captions[0].startswith(
        "feature error, relative, lower is better; class kept, PSNR in dB and SSIM, higher is better; the best in bold"
    )
    first = [caption.partition(",")[0] for caption in captions[1:]]
    assert first == ["feature error", "class kept", "PSNR in dB", "SSIM"]
    assert inverted.splitlines()[2].startswith("|  | feature error, relative | class kept | PSNR | SSIM |")
    assert "activation" not in inverted
    assert "refused: what was measured is no picture" in inverted


def test_pictures_lead_where_no_picture_was_measured(folder: Path) -> None:
    chapters = {chapter.name: chapter for chapter in chapters_of(Store.existing(folder / "out").holdings())}
    assert chapters["inverted"].pictures_lead
    assert chapters["made up"].pictures_lead


def test_page_shows_the_pictures(folder: Path) -> None:
    page = (folder / "out" / "report" / "index.html").read_text()
    captions = [caption.partition("<")[0] for caption in page.split("<figcaption>")[1:]]
    assert sum(caption.startswith("truth") for caption in captions) == 2
    assert not [caption for caption in captions if caption.startswith("degraded")]
    assert "nan" not in page
    assert "mean feature error, relative" in page
    assert re.search(r'aria-sort="ascending">mean feature error', page), "the smallest first"
    curves = {path.stem for path in (folder / "out" / "report" / "curves").glob("*.png")}
    assert "inverted" in curves
    assert "made-up" not in curves


def test_methods_are_compared_and_ranked_by_the_number_of_the_task(folder: Path) -> None:
    found = dipbench.compare(suite=folder / "out")
    inverted, made_up = found.each
    assert (inverted.metric, made_up.metric) == (OF_TASKS["feature_error"], OF_TASKS["activation"])
    assert set(inverted.ranking["method"]) == {"dip", "no_prior[iterations=4]"}
    assert inverted.ranking["mean"].is_monotonic_increasing, "the smallest error first"
    assert set(dipbench.leaderboard([folder / "out"])["metric"]) == {"feature_error", "activation"}
    by_psnr = dipbench.compare(suite=folder / "out", metric="psnr")
    assert [one.metric.name for one in by_psnr.each] == ["psnr"]


def test_plan_goes_through_what_lacks_its_weights(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(folder / "torch"))
    for scale in ("full", "smoke"):
        plan = CliRunner().invoke(app, ["plan", str(folder / "seen.toml"), "--device", "cpu", "--scale", scale])
        assert plan.exit_code == 0, plan.output
