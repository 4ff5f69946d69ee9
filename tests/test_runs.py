"""The names of runs stay: a stored run is found again, and a seed gives the measurement that it gave before."""

import pytest

from dipbench import registry
from dipbench.runs import Run, identity
from dipbench.spec import parse

# Data set, image, hash of its pixels, task, method without settings; the run and its measurement.
NAMES = [
    "cbm3d9 House256 10009297dcdcb2cc denoising[sigma=25] degraded 6479a5d87556cf10 054b787b675a6acb",
    "set5 butterfly 7063c57a207f5b14 super_resolution[factor=4] bicubic 0a4b02f84ff8aef8 c56ae6fccc3648e0",
    "set5 butterfly 7063c57a207f5b14 super_resolution_matlab[factor=4] bicubic 7a3a88b2578c27c5 ceb2b62f9adc6b31",
    "inpaint11 house 36daae19206c9e37 inpainting[mask=own] nearest_neighbor a4c3a8306d8620e5 209d6aa1d21c0471",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_run_of_each_task_keeps_its_name_and_its_measurement(name: str) -> None:
    dataset, image, pixels, task, method, key, measurement = name.split()
    plugin = registry.build("task", task)
    run = Run(
        dataset,
        image,
        pixels,
        task=identity(parse(task), plugin),
        method=identity(parse(method), registry.build("method", method)),
        protocol=plugin.protocol().signature,
        seed=0,
    )
    assert run.key == key
    assert run.measurement_key == measurement


def test_every_task_has_a_run_whose_name_is_held() -> None:
    assert {parse(name.split()[3]).name for name in NAMES} == set(registry.names("task"))
