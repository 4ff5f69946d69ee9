"""A store alone gives the verdicts on it, and its report shows them."""

from pathlib import Path

import pytest
from torch import Tensor

from dipbench import api
from dipbench.comparing.verdict import verdicts_of
from dipbench.images.files import write_image
from dipbench.store.store import Store


@pytest.fixture
def suite(tmp_path: Path, photo: Tensor) -> Path:
    """A suite on a folder that is called neither Set5 nor anything else that is published."""
    (tmp_path / "images").mkdir()
    write_image(tmp_path / "images" / "one.png", photo)
    path = tmp_path / "small.toml"
    path.write_text(
        f'title = "Small"\n[[experiments]]\nname = "a"\ndataset = "folder[path={tmp_path / "images"}]"\n'
        'task = "super_resolution[factor=4]"\nmethods = ["bicubic", "nearest"]\n'
        '[experiments.published]\ntable = "sr_x4"\ndataset = "set5"\n'
        '[experiments.published.rows]\nbicubic = { method = "Bicubic", tolerance = 0.4, reason = "so" }\n'
    )
    return path


def test_store_alone_gives_the_verdicts_and_the_report_shows_them(suite: Path, tmp_path: Path) -> None:
    api.run(str(suite), out=tmp_path / "out", report=True)
    store = Store.existing(tmp_path / "out")
    (verdict,) = verdicts_of(store.holdings(), store.trace)["a"]
    assert verdict.text.startswith("not comparable: on folder[path=")
    report = tmp_path / "out" / "report"
    assert "Comparison with published results" in (report / "index.html").read_text()
    for suffix in ("csv", "md", "tex"):
        assert (report / "published" / f"a.{suffix}").is_file()
        assert f'href="published/a.{suffix}"' in (report / "index.html").read_text()


def test_suite_without_published_numbers_has_no_verdicts(suite: Path, tmp_path: Path) -> None:
    text = suite.read_text()
    suite.write_text(text[: text.index("[experiments.published]")])
    api.run(str(suite), out=tmp_path / "out", report=True)
    store = Store.existing(tmp_path / "out")
    assert verdicts_of(store.holdings(), store.trace) == {}
    assert "Comparison with published results" not in (tmp_path / "out" / "report" / "index.html").read_text()
