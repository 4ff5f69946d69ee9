"""docs/notebook.ipynb runs from its first cell to its last, as Jupyter runs it."""

from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).parent.parent / "docs" / "notebook.ipynb"

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the kernel's own event loop
@pytest.mark.skipif(not NOTEBOOK.exists(), reason="the documentation lies in a checkout")
def test_the_notebook_runs(tmp_path: Path) -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    (choice,) = (cell for cell in notebook.cells if "iterations = 1200" in cell.source)
    choice.source = choice.source.replace("iterations = 1200", "iterations = 3")
    nbclient.NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    ).execute()
    shown = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    texts = "\n".join(str(output.get("data", output.get("text", ""))) for output in shown)
    assert "mine" in texts
    assert "image/png" in texts, "the plot"
    assert "cannot tell" in texts, "three images say nothing of others"


def test_it_is_committed_without_outputs() -> None:
    """What it would show changes from machine to machine, and is large."""
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    assert not any(cell.get("outputs") for cell in cells)
