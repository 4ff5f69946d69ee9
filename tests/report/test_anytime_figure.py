"""The part of the page on quality against time."""

import pandas as pd
import pytest
from forge import ENVIRONMENT, Forge

from dipbench.report import anytime, write_report
from dipbench.report.formats import DASH


def page_of(forge: Forge) -> str:
    forge.plan()
    return write_report(forge.store, forge.store.holdings()).read_text().replace("<wbr>", "")


def fill(forge: Forge, *methods: str) -> None:
    forge.experiment("denoising", "denoising")
    for number, method in enumerate(methods):
        forge.done(method, "image", 0, {"final": 20.0 + number, "best": 24.0 + number}, seconds=40.0)
    forge.done("bm3d", "image", 0, {"final": 23.5})


def test_two_methods_that_iterate_are_compared_by_time(forge: Forge) -> None:
    fill(forge, "dip", "better")
    text = page_of(forge)
    assert anytime.HEADING in text
    assert '<th scope="col">s to 25 dB</th>' in text
    curves = pd.read_csv(forge.store.path / "report" / "curves" / "denoising-anytime.csv")
    assert curves.groupby("method")["psnr"].max()[["dip", "better"]].tolist() == pytest.approx([24, 25])
    assert (forge.store.path / "report" / "curves" / "denoising-anytime.png").stat().st_size > 10_000
    head, _, *lines = anytime.as_markdown(curves).splitlines()
    assert head == "| method | seconds a run | s to 23 dB | s to 24 dB | s to 25 dB |"
    assert [line.split(" | ")[0].strip("| ") for line in lines[:3]] == ["better", "dip", "bm3d"]
    assert lines[2] == f"| bm3d | 1.5 | {DASH} | {DASH} | {DASH} |"


def test_times_that_other_work_lengthened_are_named(forge: Forge) -> None:
    fill(forge, "dip", "better")
    forge.done("waiting", "image", 0, {"final": 20.0, "best": 24.0}, seconds=40.0, processor_seconds=12.0)
    forge.done("busy", "image", 0, {"final": 20.0, "best": 24.0}, seconds=40.0, processor_seconds=39.0)
    said = "What else ran on the machine lengthened these times: waiting had 30% of a processor."
    assert said in page_of(forge)


def test_times_of_several_devices_and_of_runs_that_took_turns_are_named(forge: Forge) -> None:
    fill(forge, "dip", "better")
    elsewhere = ENVIRONMENT | {"device": "a GPU"}
    forge.done(
        "dip",
        "image",
        1,
        {"final": 20.0, "best": 24.0},
        seconds=1.0,
        environment=elsewhere,
        at_once=8,
        processor_seconds=0.1,
    )
    text = page_of(forge)
    assert f"The times are of the runs on {ENVIRONMENT['device']}. The PSNRs are of all devices." in text
    assert "took turns" not in text, "those that did are not those whose times are shown"
    assert "lengthened" not in text, "likewise"
    forge.done("there", "image", 0, {"final": 20.0, "best": 24.0}, seconds=1.0, environment=elsewhere, at_once=8)
    text = page_of(forge)
    assert f"on {ENVIRONMENT['device']}; those of there are of runs on a GPU. The PSNRs" in text
    assert "Up to 8 runs took turns on a device" in text


def test_one_method_that_iterates_has_its_curves_by_iteration_alone(forge: Forge) -> None:
    fill(forge, "dip")
    assert anytime.HEADING not in page_of(forge)
