"""Files to start from: they keep the contract as they are, and nothing is overwritten."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from dipbench import registry
from dipbench.cli.main import app
from dipbench.errors import UserError
from dipbench.running.check import checked


@pytest.mark.parametrize("kind", ["prior", "method"])
def test_a_file_to_start_from_keeps_the_contract_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["new", kind, "my_first"])
    assert done.exit_code == 0, (done.output, done.exception)
    assert done.output == "my_first.py: try it with dipbench check my_first.py\n"
    assert not [str(each) for each in checked("method", "my_first.py") if each.complaint]
    cls = registry.find("method", "my_first.py")
    assert (cls.__name__, cls.plugin_name(), cls.fitted) == ("MyFirst", "my_first", kind == "prior")
    text = (tmp_path / "my_first.py").read_text()
    assert "NAME" not in text
    assert "CLASS" not in text
    compile(text, "my_first.py", "exec")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["my_first"], "'my_first.py' is there already: it stays as it is; take another name, or remove it first"),
        (["my-first"], "name must be of letters, digits and _, and begin with a letter, got 'my-first'"),
        (["_first"], "letter, got '_first'"),
        (["../first"], "letter, got '../first'"),
        (["torch"], "'torch' is a module of Python's or of a package, which the file would hide: take another"),
        (["class"], "'class' is a word of Python's, by which no module can be imported: take another"),
        (["none"], "'none' makes a class None, a word that the file needs for another thing: take another"),
        (["adam"], "'adam' makes a class Adam, a word that the file needs for another thing: take another"),
        (["mine", "--out", "none"], "cannot write 'none/mine.py': 'none' is not a folder; make it first"),
    ],
)
def test_what_cannot_be_written_is_refused_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_first.py").write_text("mine")
    done = CliRunner().invoke(app, ["new", "prior", *words])
    assert isinstance(done.exception, UserError)
    assert said in str(done.exception)
    assert [file.name for file in tmp_path.iterdir()] == ["my_first.py"]
    assert (tmp_path / "my_first.py").read_text() == "mine"
