from collections.abc import Sequence

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio
from torch import Tensor

from dipbench.contract import Problem
from dipbench.operators import Identity
from dipbench.scoring import Protocol
from dipbench.trace.kept import BEST, Extreme
from dipbench.trace.recorder import Recorder
from dipbench.trace.step import Step


@pytest.fixture
def steps(photo: Tensor) -> list[Step]:
    generator = torch.Generator().manual_seed(0)
    levels = [0.3, 0.1, 0.05, 0.2]
    estimates = [photo + level * torch.randn(photo.shape, generator=generator) for level in levels]
    return [Step(e, ema=(e + photo) / 2, loss=torch.tensor(0.5 + i)) for i, e in enumerate(estimates)]


def recorded(
    photo: Tensor,
    steps: list[Step],
    truth: Tensor | None,
    extremes: Sequence[Extreme] = BEST,
    keep: Sequence[int] = (),
) -> Recorder:
    problem = Problem("denoising", photo, Identity(), tuple(photo.shape))
    recorder = Recorder(problem, truth, Protocol(), capacity=2, extremes=extremes, keep=keep)
    for step in steps:
        recorder.record(step)
    return recorder


def test_trace_holds_the_psnr_of_every_step(photo: Tensor, steps: list[Step]) -> None:
    trace = recorded(photo, steps, photo).trace()
    assert list(trace["iteration"]) == [0, 1, 2, 3]
    for row, step in zip(trace.itertuples(), steps, strict=True):
        for column, image in (("psnr", step.estimate), ("psnr_ema", step.ema)):
            expected = peak_signal_noise_ratio(photo.numpy(), image.numpy(), data_range=1)
            assert getattr(row, column) == pytest.approx(expected, abs=1e-4)
    assert list(trace["loss"]) == [0.5, 1.5, 2.5, 3.5]
    assert np.allclose(trace["psnr_measurement"], trace["psnr"])


def test_names_last_averaged_and_the_oracle_peaks(photo: Tensor, steps: list[Step]) -> None:
    outputs = {o.name: o for o in recorded(photo, steps, photo).outputs()}
    assert [(o.name, o.iteration) for o in outputs.values()] == [
        ("final", 3),
        ("ema", 3),
        ("best", 2),
        ("best_ema", 2),
    ]
    assert torch.equal(outputs["best"].image, steps[2].estimate)
    assert torch.equal(outputs["final"].image, steps[3].estimate)


def test_peak_survives_that_the_fit_overwrites_its_buffers(photo: Tensor) -> None:
    buffer = photo.clone()
    problem = Problem("denoising", photo, Identity(), tuple(photo.shape))
    recorder = Recorder(problem, photo, Protocol(), capacity=3, extremes=BEST)
    for offset in (0.2, 0.01, 0.3):
        buffer.copy_(photo + offset)
        recorder.record(Step(buffer))
    peak = next(o for o in recorder.outputs() if o.name == "best")
    assert torch.allclose(peak.image, photo + 0.01)
    assert peak.iteration == 1


def test_keeps_the_outputs_that_a_shorter_fit_would_have_ended_with(photo: Tensor, steps: list[Step]) -> None:
    shorter = {o.name: o for o in recorded(photo, steps[:2], photo).outputs()}
    outputs = {o.name: o for o in recorded(photo, steps, photo, keep=(2, 4, 9)).outputs()}
    assert [name for name in outputs if "_at_" in name] == ["final_at_2", "ema_at_2"], "4 is the end, 9 beyond it"
    for name in ("final", "ema"):
        kept = outputs[f"{name}_at_2"]
        assert torch.equal(kept.image, shorter[name].image)
        assert kept.iteration == shorter[name].iteration == 1, "the trace counts from 0"


def test_without_a_truth_there_is_no_psnr_and_no_peak(photo: Tensor, steps: list[Step]) -> None:
    recorder = recorded(photo, steps, None)
    assert recorder.trace()["psnr"].isna().all()
    assert recorder.trace()["psnr_measurement"].notna().all()
    assert [o.name for o in recorder.outputs()] == ["final", "ema"]


def test_a_method_that_converges_reports_no_peak(photo: Tensor, steps: list[Step]) -> None:
    assert [o.name for o in recorded(photo, steps, photo, extremes=()).outputs()] == ["final", "ema"]


def test_what_a_signal_of_another_version_recorded_is_not_gone_on_with(photo: Tensor, steps: list[Step]) -> None:
    recorder = recorded(photo, steps, photo)
    state = recorder.state()
    recorder.load(state)
    with pytest.raises(ValueError, match="of other versions of the signals loss, psnr"):
        recorder.load({**state, "versions": [2] * len(state["columns"])})
