"""Oracles that are measured now and then: recorded where they are due, of the right image."""

import numpy as np
import pytest
import torch
from seeing import denoising
from skimage.metrics import peak_signal_noise_ratio
from torch import Tensor

from dipbench.scoring import Protocol
from dipbench.trace.recorder import Recorder
from dipbench.trace.signals.psnr_still import PsnrStill
from dipbench.trace.signals.ssim import Ssim
from dipbench.trace.signals.ssim_ema import SsimEma
from dipbench.trace.step import Step


def test_oracles_of_every_third_iteration(photo: Tensor) -> None:
    draw = torch.Generator().manual_seed(0)
    outputs, averages, stills = (photo + 0.1 * torch.randn((5, *photo.shape), generator=draw) for _ in range(3))
    signals = [Ssim(every=3), SsimEma(every=3), PsnrStill(every=3)]
    recorder = Recorder(denoising(photo), photo, Protocol(), 5, signals=signals)
    for number in range(5):
        recorder.record(Step(outputs[number], ema=averages[number]))
        assert recorder.due(number) == (number % 3 == 0)
        recorder.look(number, stills[number])
    trace = recorder.trace()
    assert list(trace) == ["iteration", "ssim[every=3]", "ssim_ema[every=3]", "psnr_still[every=3]"]
    assert np.flatnonzero(trace.notna().all(axis=1)).tolist() == [0, 3]
    for number in (0, 3):
        expected = [
            *(float(Protocol().ssim(image[number], photo)) for image in (outputs, averages)),
            peak_signal_noise_ratio(photo.numpy(), stills[number].numpy(), data_range=1),
        ]
        assert trace.iloc[number, 1:].tolist() == pytest.approx(expected, abs=1e-4)


def test_without_tricks_to_leave_out_there_is_no_number(photo: Tensor) -> None:
    recorder = Recorder(denoising(photo), photo, Protocol(), 1, signals=[PsnrStill()])
    recorder.record(Step(photo))
    recorder.look(0)
    assert recorder.trace()["psnr_still"].isna().all()
