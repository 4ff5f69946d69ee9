"""Restoring what came degraded: where results go, when a fit stops, what is said of the noise, and Ctrl-C."""

import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest
import torch
from torch import Tensor
from typer.testing import CliRunner

from dipbench import api, registry
from dipbench.cli.main import app
from dipbench.data.loading import load
from dipbench.errors import UserError
from dipbench.images.files import read_image, write_image
from dipbench.running.restoring import NoiseLevelNotGiven, estimated_sigma

PROGRAM = [sys.executable, "-c", "from dipbench.cli.main import main; main()"]
SMALL = "dip[down=[8,8],iterations=4]"


@pytest.fixture
def here(tmp_path: Path, photo: Tensor, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two noisy images of sigma 25."""
    monkeypatch.chdir(tmp_path)
    noise = torch.randn((2, *photo.shape), generator=torch.Generator().manual_seed(0)) * 25 / 255
    for name, each in zip("ab", noise, strict=True):
        write_image(tmp_path / f"{name}.png", photo + each)
    return tmp_path


def restore(*words: str) -> tuple[list[str], list[str]]:
    """What is said on standard output and on standard error, in lines."""
    done = CliRunner().invoke(app, ["restore", *words])
    assert done.exit_code == 0, (done.output, done.exception)
    return done.stdout.splitlines(), done.stderr.splitlines()


def test_several_images_are_restored_beside_themselves(here: Path) -> None:
    said, _ = restore("a.png", "b.png", "--task", "denoising[sigma=25]", "--method", "nlm")
    assert said == [f"final output: {name}-nlm.png" for name in "ab"]
    assert not torch.equal(read_image(here / "a-nlm.png"), read_image(here / "b-nlm.png"))


def test_several_images_go_to_a_folder_which_is_made(here: Path) -> None:
    restore("a.png", "b.png", "--task", "denoising[sigma=25]", "--method", "nlm", "--out", "out")
    restore("a.png", "--task", "denoising[sigma=25]", "--method", "degraded", "--out", "out")
    assert {file.name for file in (here / "out").iterdir()} == {"a-nlm.png", "b-nlm.png", "a-degraded.png"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["a.png", "b.png", "--out", "a.txt"], "cannot write to folder 'a.txt': File exists; 2 images take a folder"),
        (["a.png", "sub/a.png", "--out", "out"], "'a.png' and another image would both become 'out/a-nlm.png'"),
        (["a.png", "b.png", "--out", "no/where"], "cannot write to folder 'no/where'"),
        (["a.png", "c.png"], "cannot read image 'c.png'"),
        (["a.png", "a-nlm.png"], "cannot write 'a-nlm.png': it is the image to restore"),
        (["a.png", "--stop", "wmv"], "stop 'wmv' ends a fit, and 'nlm' is not fitted: leave it out"),
    ],
)
def test_what_is_wrong_is_said_before_the_first_is_restored(here: Path, words: list[str], said: str) -> None:
    (here / "sub").mkdir()
    (here / "a.txt").write_text("no folder")
    for copy in ("sub/a.png", "a-nlm.png"):
        (here / copy).write_bytes((here / "a.png").read_bytes())
    before = {file: file.read_bytes() for file in here.rglob("*") if file.is_file()}
    done = CliRunner().invoke(app, ["restore", *words, "--task", "denoising[sigma=25]", "--method", "nlm"])
    assert isinstance(done.exception, UserError)
    assert str(done.exception).startswith(said)
    assert {file: file.read_bytes() for file in here.rglob("*") if file.is_file()} == before


def test_an_image_too_small_is_found_before_the_first_is_restored(here: Path, photo: Tensor) -> None:
    write_image(here / "small.png", photo[:, :20, :20])
    done = CliRunner().invoke(app, ["restore", "a.png", "small.png", "--task", "denoising[sigma=25]"])
    assert "20x20 is too small for a network of 5 scales" in str(done.exception)
    assert not (here / "a-dip.png").exists()


def test_a_fit_stops_by_the_noise_level_where_that_is_given(here: Path) -> None:
    fit = ["--task", "denoising[sigma=50]", "--method", "dip[down=[16,16],iterations=200]"]  # there is less: soon
    (result,), (said,) = restore("a.png", *fit)
    assert (
        said == "dipbench: rule 'discrepancy' ends the fit by the noise level; with --stop last it takes all iterations"
    )
    assert result.endswith(", where discrepancy stopped it, too soon for the average: a-dip.png")
    assert 20 <= int(result.split()[4].rstrip(",")) < 150
    (result,), nothing = restore("a.png", *fit[:2], "--method", SMALL, "--stop", "last")
    assert (result, nothing) == ("final output at iteration 4, too soon for the average: a-dip.png", [])


def test_a_rule_that_did_not_fire_is_said(here: Path) -> None:
    (result,), (said,) = restore("a.png", "--task", "denoising[sigma=25]", "--method", SMALL)
    assert said.startswith("dipbench: rule 'discrepancy' ends the fit by the noise level")
    assert result == "final output at iteration 4, too soon for the average; discrepancy did not fire: a-dip.png"
    (result,), _ = restore("a.png", "--task", "jpeg", "--method", SMALL, "--stop", "wmv", "--output", "final")
    assert result == "final output at iteration 4; wmv did not fire: a-dip.png"


def test_a_rule_of_ones_own_is_left_alone(here: Path) -> None:
    _, said = restore("a.png", "--task", "denoising[sigma=25]", "--method", "dip[down=[8,8],iterations=4,stop=wmv]")
    assert said == []
    _, said = restore("a.png", "--task", "jpeg", "--method", SMALL)
    assert said == [], "the noise level is not known"


def test_a_noise_level_that_is_not_given_is_estimated_and_said(here: Path) -> None:
    (_,), said = restore("a.png", "--task", "denoising", "--method", SMALL)
    assert said[0].startswith("dipbench: 'a.png': sigma is estimated from the image as 2")
    assert "as in --task 'denoising[sigma=25]'" in said[0]
    assert "rule 'discrepancy[energy=estimated]' ends the fit" in said[1]
    for told in ("denoising[sigma=25]", "denoising[noise=poisson]"):
        assert not restore("a.png", "--task", told, "--method", "degraded")[1]


def test_where_nothing_can_be_estimated_the_level_is_assumed_and_said(here: Path) -> None:
    write_image(here / "flat.png", torch.full((3, 32, 32), 0.5))
    _, (said,) = restore("flat.png", "--task", "denoising", "--method", "nlm")
    assert said.startswith(
        "dipbench: 'flat.png': sigma 25 of 255 is assumed, for no noise was found in the image: give"
    )


@pytest.mark.parametrize(("sigma", "within"), [(5, 0.25), (15, 0.1), (25, 0.1), (50, 0.1)])
def test_the_estimate_is_near_the_truth(sigma: float, within: float) -> None:
    """Of little noise it is high: fine detail counts."""
    image = load(registry.build("dataset", "photos[crop=256]"), "astronaut").image
    assert image is not None
    noise = torch.randn(image.shape, generator=torch.Generator().manual_seed(1))
    assert estimated_sigma(image + noise * sigma / 255) == pytest.approx(sigma, rel=within)


def test_python_is_warned_and_told_which_rule_stopped(here: Path) -> None:
    with pytest.warns(NoiseLevelNotGiven, match=r"a.png': sigma is estimated from the image as 2\d"):
        api.restore("a.png", task="denoising", method="degraded")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = api.restore("a.png", task="denoising[sigma=50]", method="dip[down=[16,16],iterations=200]")
    assert (made.rule, made.name) == ("discrepancy", "final")
    assert made.fired == made.iteration


def test_a_fit_that_ends_too_soon_for_an_average_gives_its_last_output(here: Path) -> None:
    """Of 60 iterations the average, with 0.99 for the past, still is the first output by more than a half."""
    fit = {"task": "denoising[sigma=25]", "method": "dip[down=[16,16],iterations=60]", "stop": "last"}
    assert api.restore("a.png", **fit).name == "final"  # type: ignore[arg-type]
    assert api.restore("a.png", **fit, output="ema").name == "ema"  # type: ignore[arg-type]
    short = {**fit, "method": "dip[down=[16,16],iterations=60,average=0.9]"}
    assert api.restore("a.png", **short).name == "ema"  # type: ignore[arg-type]
    (said,), _ = restore("a.png", *(word for name, value in short.items() for word in (f"--{name}", value)))
    assert said == "ema output at iteration 60: a-dip.png"


def test_ctrl_c_keeps_what_there_is(here: Path) -> None:
    method = "dip[down=[8,8],iterations=100000]"
    words = ["restore", "a.png", "b.png", "--task", "denoising[sigma=25]", "--method", method, "--stop", "last"]
    began = time.monotonic()
    with subprocess.Popen([*PROGRAM, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
        # a fit is under way once the process has had 1.5 times the processor that importing takes
        while _seconds_of_processor(program.pid) < 8 and time.monotonic() - began < 200:
            time.sleep(0.2)
        program.send_signal(signal.SIGINT)
        said, complained = program.communicate(timeout=100)
    assert program.returncode == 130, complained
    assert said.startswith("ema output at iteration ")
    assert complained.startswith("dipbench: stopped at iteration ")
    assert complained.rstrip().endswith(": 'a-dip.png' is what there was")
    assert read_image(here / "a-dip.png").shape == read_image(here / "a.png").shape
    assert not (here / "b-dip.png").exists()


def _seconds_of_processor(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100  # proc(5): utime and stime, in hundredths


DIVERGING = '''"""Takes steps on wide images after which the loss overflows."""
from dataclasses import dataclass

from torch import nn

from dipbench.contract import FitSettings, Prior
from dipbench.nets.inputs import noise_input
from dipbench.optimisers import Adam


@dataclass(frozen=True)
class Diverging(Prior):
    """A linear layer."""

    iterations: int = 6

    def fit_settings(self, problem):
        return FitSettings(self.iterations, Adam(1e30 if problem.shape[-1] > 64 else 0.01))

    def build(self, problem, rng):
        return nn.Conv2d(8, problem.shape[0], 1), noise_input(8, problem.shape[1:], rng)
'''


def test_of_a_fit_that_diverged_no_picture_is_written_and_the_others_are_restored(here: Path, photo: Tensor) -> None:
    (here / "diverging.py").write_text(DIVERGING)
    write_image(here / "a.png", torch.cat([photo, photo], dim=-1))
    fit = {"task": "denoising[sigma=25]", "method": "diverging.py", "stop": "last"}
    words = ["restore", "a.png", "b.png", *(word for name, value in fit.items() for word in (f"--{name}", value))]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 2
    said = (
        "the fit of 'diverging' diverged at iteration 2: pixels of its output 'final' are not finite, so that there is "
        "no picture of it; take fewer iterations or smaller steps, or mend its loss"
    )
    assert done.stderr == f"dipbench: 'a.png': {said}\n"
    assert not (here / "a-diverging.png").exists()
    assert read_image(here / "b-diverging.png").isfinite().all()
    with pytest.raises(UserError) as raised:
        api.restore("a.png", **fit)  # type: ignore[arg-type]
    assert str(raised.value) == said


def test_a_method_that_gives_no_numbers_gives_no_picture(here: Path) -> None:
    def nothing(noisy: Tensor) -> Tensor:
        return noisy * float("nan")

    with pytest.raises(UserError, match=r"^method 'nothing' gave pixels that are not finite"):
        api.restore("a.png", task="denoising[sigma=25]", method=api.method(nothing))
