"""The benchmarks run, and count what they say they count."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from dipbench import registry

ROOT = Path(__file__).parents[2]
BENCHMARKS = ROOT / "benchmarks"


def ran(script: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, str(BENCHMARKS / script), *arguments], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_times_the_fit_in_alternation(tmp_path: Path) -> None:
    ran("fit_speed.py", "--size", "64", "--iterations", "1", "--rounds", "2", "--threads", "1", "--device", "cpu",
        "--out", str(tmp_path))  # fmt: skip
    table = pd.read_csv(tmp_path / "fit_speed_cpu.csv")
    assert list(table["contender"]) == ["dipbench", "dipbench", "dipbench, bare"]
    assert list(table["keeps memory"]) == [False, True, True]
    assert (table["s/it"] > 0).all()
    assert table["losses as without kept memory"].all(), "to keep memory changed a loss"
    assert table["against the notebook"].isna().all(), "nobody was there to be compared with"


def test_measures_what_recording_costs(tmp_path: Path) -> None:
    ran("overhead.py", "--size", "64", "--iterations", "1", "--rounds", "3", "--threads", "1", "--device", "cpu",
        "--out", str(tmp_path))  # fmt: skip
    assert pd.read_csv(tmp_path / "overhead_cpu.csv")["overhead [%]"].notna().all()


def test_measures_what_each_signal_costs() -> None:
    printed = ran("signals.py", "--size", "64", "--iterations", "2", "--threads", "1")
    rows = {line.split("|")[1].strip(): line.split("|")[2:6] for line in printed.splitlines() if line.startswith("| ")}
    assert {*registry.names("signal"), "the usual together"} < set(rows)
    still, loss = ([float(cell) for cell in rows[name]] for name in ("psnr_still", "loss"))
    assert still[0] > 10 * loss[0], "a forward pass of its own, against no more than a copy"
    assert (still[2], still[3]) == (10, pytest.approx(still[1] / 10, rel=0.06))


def test_simulates_how_often_intervals_hold_the_truth(tmp_path: Path) -> None:
    ran("coverage.py", "--images", "5", "--seeds", "2", "--draws", "20", "--out", str(tmp_path))
    table = pd.read_csv(tmp_path / "coverage.csv")
    assert list(table["shape"]) == ["normal", "skewed"]
    assert (table["BCa"] <= table["Student's t"]).all(), "of five images it is the narrower"
    assert (table[["Student's t", "other seeds"]] > 0.6).to_numpy().all()
    assert (table["better or worse, 11 tests"] == 0).all(), "five images never can"
    power = pd.read_csv(tmp_path / "power.csv")
    assert list(power.loc[power["spread"] == power["gain"], "images"]) == [10, 18]
    assert (power["images"] >= power["at least"]).all()
    assert list(pd.read_csv(tmp_path / "seeds.csv")["seeds"]) == [2, 3, 5] * 3
    assert (power["found"] > 0.4).all()


@pytest.fixture
def roofline(monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import roofline

    return roofline


def test_operations_and_bytes_of_a_convolution_as_counted_by_hand(roofline: object, photo: Tensor) -> None:
    from dataclasses import dataclass

    from dipbench import registry
    from dipbench.contract import Prior, Problem, Scene
    from dipbench.streams import Streams

    @dataclass(frozen=True)
    class TwoConvolutions(Prior):
        """Of which the first needs no gradient of its input."""

        def build(self, problem: Problem, rng: Streams) -> tuple[nn.Module, Tensor]:
            return nn.Sequential(nn.Conv2d(2, 6, 3, padding=1), nn.Conv2d(6, 3, 1)), torch.rand((1, 2, 16, 20))

    problem = registry.build("task", "denoising").degrade(Scene(photo[:, :16, :20]), Streams(0))
    pixels, first, second = 16 * 20, 2 * 2 * 6 * 9, 2 * 6 * 3
    assert roofline.operations(TwoConvolutions(), problem) == pixels * (2 * first + 3 * second)
    assert roofline.traffic(TwoConvolutions(), problem) == pixels * 3 * ((2 + 6) + (6 + 3))


def test_goals_are_judged_by_the_row_that_they_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import speed_goals

    common = {
        "size": 256,
        "contender": "dipbench",
        "at once": 1,
        "keeps memory": True,
        "device": "cpu (some processor)",
    }
    common |= {"instructions": "avx512_bf16", "losses as without kept memory": "True", "peak memory [MiB]": 100.0}
    columns = {"over the convolutions": 2.0, "against eager float32": 1.25, "memory of eager float32": 0.7}
    rows = [
        {**common, **columns, "engine": "eager", "precision": "float32", "against the notebook": 1.61},
        {**common, **columns, "engine": "lean", "precision": "float32", "against the notebook": 9.0},
        {**common, **columns, "engine": "lean", "precision": "bf16", "against the notebook": 5.99},
    ]
    judged = speed_goals.goals(pd.DataFrame(rows), pd.DataFrame(), pd.DataFrame()).set_index("what")["measured"]
    assert judged["CPU, 256x256: against the notebook (eager, float32)"] == "1.61, reached"
    assert judged["CPU, 256x256: against the notebook (lean, bf16)"] == "5.99, falls short, with avx512_bf16"
    assert judged["CPU, 256x256: against eager float32 (lean, float32)"] == "1.25, falls short"
    assert judged["CPU, 256x256: memory of eager float32 (lean, bf16)"] == "0.70, reached, with avx512_bf16"
    assert judged["CPU, 512x512: against the notebook (lean, bf16)"] == "not measured"
    assert judged["GPU, 512x512: over the floor"] == "not measured"


def test_goals_of_recording_and_fidelity_are_judged_too_and_say_of_what_they_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of nine images Student's t is 2.306: 0.02 -+ 0.0692 dB."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import speed_goals

    cpu, gpu = {"device": "cpu (x)", "engine": "eager", "precision": "float32"}, {"device": "gpu", "engine": "graph"}
    overhead = [cpu | {"size": 128, "overhead [%]": 0.4}, cpu | {"size": 256, "overhead [%]": 0.9}]
    overhead.append(gpu | {"precision": "tf32", "size": 512, "overhead [%]": 2.5})
    fidelity = {"engine": "lean", "precision": "bf16", "images": 9, "crop": 64, "falls of 5 dB": 0}
    fidelity |= {"minus eager float32 [dB]": 0.02, "standard error [dB]": 0.03}
    found = speed_goals.goals(pd.DataFrame(), pd.DataFrame(overhead), pd.DataFrame([fidelity]))
    judged = found.set_index("what")["measured"]
    assert judged["recording every signal (cpu (x), eager, float32)"] == "0.4% at 128, 0.9% at 256, reached"
    assert judged["recording every signal (gpu, graph, tf32)"] == "2.5% at 512, falls short"
    told = judged["mean peak from eager float32 (lean, bf16)"]
    assert told == "+0.02 (-0.05 to +0.09) dB on 64x64 crops, reached"
