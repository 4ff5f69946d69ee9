"""Every command of docs/cluster.md runs, small and in its order, on daemons that the tests start."""

import re
import tomllib
from pathlib import Path

import pytest
from cluster_page import PAGE, ROOT, SMALL, commands_of, said_by
from daemons import Cluster

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not PAGE.exists(), reason="the documentation lies in a checkout")]


def test_from_a_login_node_to_a_table_in_four_commands(
    slurm: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install, run, status, compare = commands_of("SLURM")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cluster.toml").write_text(re.findall(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL)[0])
    assert install.endswith('".[slurm]"')  # tox has run it, for the extra dev
    assert "2 submitted; 0 already computed" in (said := said_by(run, *SMALL))
    assert status in said
    slurm.wait_until(lambda: not slurm.queue())
    assert re.search(r"report: .*index.html", said := said_by(status)), said
    assert re.search(r"^denoising +2 +2 +0 +0 +0 +0 +0 +-$", said, re.MULTILINE), said
    assert "tv" in said_by(compare)
    assert "nothing to compute; 2 already computed" in said_by(run, *SMALL)


def test_the_extras_are_those_that_are_told() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for extra in ("slurm", "ray"):
        assert f'".[{extra}]"' in PAGE.read_text()
        assert {"slurm": "submitit", "ray": "ray"}[extra] in extras[extra][0]
