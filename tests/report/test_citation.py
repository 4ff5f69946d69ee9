from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from dipbench import registry
from dipbench.contract import Prior
from dipbench.errors import UserError
from dipbench.images.files import write_image
from dipbench.report.citation import bibtex, find_run, references, signature
from dipbench.resources import instructions
from dipbench.running.conditions import Conditions
from dipbench.running.runner import run_suite
from dipbench.store.store import Store
from dipbench.suites.suite import Suite
from dipbench.version import __version__


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, photo: Tensor) -> Store:
    folder = tmp_path_factory.mktemp("cited")
    (folder / "images").mkdir()
    write_image(folder / "images" / "one.png", photo[:, :32, :32])
    suite = Suite.model_validate(
        {
            "name": "cited",
            "title": "Cited",
            "experiments": [
                {
                    "name": "a",
                    "dataset": f"folder[path={folder / 'images'}]",
                    "task": "denoising[sigma=30]",
                    "methods": ["nlm"],
                }
            ],
        }
    )
    made = Store(folder / "results" / "cited")
    run_suite(suite, made, seeds=[7], conditions=Conditions(torch.device("cpu"), processes=1))
    return made


def test_every_paper_that_a_plugin_names_has_an_entry() -> None:
    papers = {registry.find(kind, name).paper for kind in registry.KINDS for name in registry.names(kind)} - {""}
    assert papers <= set(references())


def test_every_prior_names_its_paper_and_what_has_no_number_its_address() -> None:
    priors = [name for name in registry.names("method") if issubclass(registry.find("method", name), Prior)]
    assert [name for name in priors if not registry.find("method", name).paper] == []
    assert "Autoencoding Sequential Deep Image Prior" in references()[registry.find("method", "aseqdip").paper]
    assert "18176--18185" in references()[registry.find("method", "deep_random_projector").paper]


def test_citation_file_is_of_this_version() -> None:
    file = Path(__file__).parents[2] / "CITATION.cff"
    if not file.exists():
        pytest.skip("CITATION.cff lies in a checkout")
    assert f"\nversion: {__version__}\n" in file.read_text()


def test_a_paper_of_two_plugins_is_there_once(store: Store, tmp_path: Path) -> None:
    """That of the task and of the method, in a run and in one that was stored with both."""
    (result,) = (store.result(path.name) for path in (store.path / "runs").iterdir())
    assert result is not None
    experiment = {"name": "a", "dataset": "photos[crop=64,side=32]", "images": ["chelsea"], "task": "denoising"}
    experiment["methods"] = ["no_prior[iterations=2]"]
    suite = Suite.model_validate({"name": "twice", "title": "T", "experiments": [experiment]})
    run_suite(suite, Store(tmp_path), seeds=[0], conditions=Conditions(torch.device("cpu"), processes=1))
    (made,) = (Store(tmp_path).result(path.name) for path in (tmp_path / "runs").iterdir())
    assert made is not None
    assert made.papers == ["arXiv:1711.10925"]
    twice = result.model_copy(update={"papers": ["arXiv:1711.10925", "doi:10.1/mine"] * 2})
    assert bibtex(twice).count("1711.10925") == bibtex(twice).count("doi:10.1/mine") == 1


def test_line_names_all_that_the_number_depends_on(store: Store) -> None:
    key = next((store.path / "runs").iterdir()).name
    result = store.result(key)
    assert result is not None
    line = signature(result, "final")
    run = result.run
    for part in (
        f"PSNR {result.outputs[0].psnr:.2f} dB",
        "peak:1|channels:all|border:0+0|quantisation:none",
        f"folder/one#{run.pixels}",
        "denoising[sigma=30.0,clip=true]#seed=7",
        "nlm[",
        "patch_size=5",
        ":final",
        f"torch {torch.__version__.partition('+')[0]}",
        f", instructions {instructions()}, float32",
        key,
    ):
        assert part in line
    assert "\n" not in line
    environment = result.environment.model_copy(update={"instructions": ""})  # as in what an earlier version computed
    older = result.model_copy(update={"environment": environment})
    assert signature(older, "final") == line.replace(f"instructions {instructions()}, ", "")
    assert "10.1109/CVPR.2005.38" in bibtex(result)
    assert "1711.10925" in bibtex(result)
    assert f"version = {{{__version__}}}" in bibtex(result)


def test_an_output_that_is_not_there_is_named(store: Store) -> None:
    result = store.result(next((store.path / "runs").iterdir()).name)
    assert result is not None
    with pytest.raises(UserError, match="no output 'best': it has final"):
        signature(result, "best")


def test_run_is_found_by_the_beginning_of_its_name_and_by_its_path(store: Store) -> None:
    folder = next((store.path / "runs").iterdir())
    assert find_run(folder.name[:6], store.path.parent) == folder
    assert find_run(str(folder), Path("nowhere")) == folder
    with pytest.raises(UserError, match=r"^no run below .* begins with 'zzz': it takes the id of one run"):
        find_run("zzz", store.path.parent)


def test_a_run_on_somebodys_own_data_set_is_cited(store: Store) -> None:
    """Of which nothing is known here but what the run kept."""
    result = store.result(next((store.path / "runs").iterdir()).name)
    assert result is not None
    own = result.model_copy(
        update={"run": replace(result.run, dataset="my_set"), "papers": ["doi:10.1109/CVPR.2005.38", "doi:10.1/mine"]}
    )
    assert "10.1109/CVPR.2005.38" in bibtex(own)
    assert "% doi:10.1/mine: no entry in references.bib" in bibtex(own)
