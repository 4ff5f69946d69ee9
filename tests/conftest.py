"""What the tests share."""

import functools
import re
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from threading import Thread

import hypothesis
import pytest
import torch
from torch import Tensor

from dipbench import registry
from dipbench.contract import Rule
from dipbench.data import download
from dipbench.data.loading import load
from dipbench.registry.finding import GIVEN
from dipbench.trace.signals import Signal

DATA = Path(__file__).resolve().parents[2] / "shared" / "datasets"

hypothesis.settings.register_profile("same everywhere", derandomize=True, deadline=None)
hypothesis.settings.load_profile("same everywhere")


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Small images gain nothing from threads, and results then do not depend on the machine's cores."""
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _nothing_stays_given() -> Iterator[None]:
    """What a test gives as a class or a function, as a notebook does, is known by its name for that test alone."""
    before = dict(GIVEN)
    yield
    GIVEN.clear()
    GIVEN.update(before)


@pytest.fixture(scope="session")
def photo() -> Tensor:
    """A colour photograph (3, 64, 64), float32 in [0, 1]."""
    return load(registry.build("dataset", "photos[crop=256,side=64]"), "astronaut").image


@pytest.fixture
def paper_data(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the paper's data sets, named by DIPBENCH_DATA for the length of the test."""
    if not DATA.is_dir():
        pytest.skip("no folder shared/datasets beside the checkout: nothing was run on the paper's images")
    monkeypatch.setenv("DIPBENCH_DATA", str(DATA))
    return DATA


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with source/owner/name/c0, which is served as a repository at a commit, and an empty folder of data.

    The cache is its folder `cache`, not there yet.
    """
    for place in ("folder", "source/owner/name/c0"):
        (tmp_path / place).mkdir(parents=True)
    http = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(tmp_path / "source")))
    thread = Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setattr(download, "MIRRORS", (f"http://127.0.0.1:{http.server_port}/{{repo}}/{{commit}}/{{path}}",))
    monkeypatch.setenv("DIPBENCH_DATA", str(tmp_path / "folder"))
    monkeypatch.setenv("DIPBENCH_CACHE", str(tmp_path / "cache"))
    yield tmp_path
    http.shutdown()
    thread.join()
    http.server_close()


@pytest.fixture(scope="session")
def examples(tmp_path_factory: pytest.TempPathFactory) -> tuple[Signal, Rule]:
    """The signal and the rule of dipbench/trace/README.md, each from a file outside the package.

    A variance with memory, of three outputs in place of a hundred, and the rule that keeps the output of its lowest.
    They lie side by side, under a name that no signal of the package has.
    """
    text = next(Path(place) for place in import_module("dipbench.trace").__path__) / "README.md"
    signal, rule = re.findall(r"```python\n(.*?)```", text.read_text(), re.DOTALL)
    folder = tmp_path_factory.mktemp("elsewhere")
    (folder / "scatter.py").write_text(signal.replace("PositiveInt = 100", "PositiveInt = 3"))
    (folder / "least_variance.py").write_text(rule.replace('"variance"', '"scatter"'))
    return (
        registry.build("signal", f"{folder}/scatter.py"),
        registry.build("rule", f"{folder}/least_variance.py[patience=2]"),
    )
