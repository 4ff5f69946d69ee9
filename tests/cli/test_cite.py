"""`dipbench cite`: what is said where no run has the id that was given."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from dipbench.cli.main import app
from dipbench.errors import UserError


def refused(name: str, folder: Path) -> str:
    error = CliRunner().invoke(app, ["cite", name, "--store", str(folder)]).exception
    assert isinstance(error, UserError)
    return str(error)


@pytest.mark.parametrize("name", ["nlm", "nlm[patch_size=3]", "*", "1a2b/"])
def test_who_names_a_method_is_told_where_the_ids_of_runs_stand(tmp_path: Path, name: str) -> None:
    run = tmp_path / "quickstart" / "runs" / "1a2b"
    run.mkdir(parents=True)
    (run / "result.json").touch()
    assert refused(name, tmp_path) == (
        f"no run below '{tmp_path}' has an id that begins with '{name}': it takes the id of one run, such as 1a2b, and "
        "no name of a method; a click on a number of the page shows the ids, and so does the column 'run' of the "
        f"tables in {tmp_path}/quickstart/report/numbers"
    )


def test_where_no_run_lies_another_folder_is_asked_for(tmp_path: Path) -> None:
    said = f"no run below '{tmp_path}' has an id that begins with '1a': none lies there; --store takes a folder of"
    assert refused("1a", tmp_path) == f"{said} results"


def test_of_several_runs_more_of_the_id_is_asked_for(tmp_path: Path) -> None:
    for name in ("1a2b", "1a3c"):
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / "result.json").touch()
    assert refused("1a", tmp_path).endswith("begin with '1a': give more of the name, or the folder's path")
