"""The site of the documentation: built as `mkdocs build --strict` does, and opened in a browser."""

import html
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import typer
from browser import Opener, chromium, overflow
from pages import DOCS

from dipbench.cli.main import app

ROOT = DOCS.parent

pytest.importorskip("mkdocs", reason="mkdocs is not installed: the site was not built")
pytest.importorskip("material", reason="mkdocs-material is not installed: the site was not built")
pytest.importorskip("mkdocstrings_handlers.python", reason="mkdocstrings is not installed: the site was not built")
pytestmark = pytest.mark.skipif(not DOCS.is_dir(), reason="the documentation lies in a checkout")

COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]


def built(folder: Path, out: Path) -> str:
    """Builds the site of a folder, a warning an error; what is said of it, nothing where it went well."""
    words = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(out)]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout + done.stderr if done.returncode else ""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("built") / "site"
    assert built(ROOT, out) == ""
    return out


def text_of(page: Path) -> str:
    """All that can be read on it, between single spaces."""
    return " ".join(html.unescape(re.sub("<[^>]*>", "", page.read_text())).split())


def test_every_page_of_the_documentation_is_in_the_site(site: Path) -> None:
    for page in DOCS.rglob("*.md"):
        assert (site / page.relative_to(DOCS).with_suffix(".html")).is_file()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_page_with_every_word_of_its_help(site: Path, name: str) -> None:
    command, shown = COMMANDS[name], text_of(site / "commands" / f"{name}.html")
    for each in (command, *getattr(command, "commands", {}).values()):
        examples = each.epilog.partition("Examples:")[2].splitlines()
        helps = [parameter.help for parameter in each.params if getattr(parameter, "help", None)]
        for text in filter(None, [each.help.replace("`", ""), *helps, *examples]):
            assert " ".join(text.split()) in shown
        for parameter in each.params:
            assert all(option in shown for option in parameter.opts)


def test_a_link_out_of_the_folder_of_the_documentation_leads_to_the_file(site: Path) -> None:
    assert 'href="reports/paper/sr_x4/index.html"' in (site / "reproducing.html").read_text()
    assert 'href="../../reproducing.html"' not in (site / "reproducing.html").read_text()
    assert 'href="tutorials/study_overfitting.html"' in (site / "index.html").read_text()
    assert (site / "reports/paper/sr_x4/set5.png").is_file()


def test_names_of_python_have_their_arguments(site: Path) -> None:
    import dipbench

    shown = text_of(site / "python.html")
    for name in set(dipbench.__all__) - {"__version__"}:
        assert f"dipbench.{name}" in shown
    assert re.search("precision: str = ['\"]float32['\"]", shown), "an argument with its type and its default"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A repository with one page, which links to another outside its folder, and that to a folder beside it."""
    for folder in ("docs", "reports/mine/numbers"):
        (tmp_path / folder).mkdir(parents=True)
    hook = DOCS / "hooks" / "repository.py"
    (tmp_path / "mkdocs.yml").write_text(
        f"site_name: small\nhooks: ['{hook}']\nplugins: []\nuse_directory_urls: false\n"
        "validation: {omitted_files: warn}\nnav: [page.md, Mine: reports/]\n"
    )
    (tmp_path / "docs" / "page.md").write_text("# Page\n[report](../reports/mine/README.md#numbers)\n")
    (tmp_path / "reports/mine/README.md").write_text(
        "# Mine\n## Numbers\n[numbers](numbers) [back](../../docs/page.md)\n"
    )
    return tmp_path


def test_the_repository_is_linked_from_file_to_file(small: Path) -> None:
    assert built(small, small / "site") == ""
    assert 'href="reports/mine/index.html#numbers"' in (small / "site/page.html").read_text()
    assert 'href="../../page.html"' in (small / "site/reports/mine/index.html").read_text()


def test_a_link_to_what_is_not_there_is_an_error(small: Path) -> None:
    (small / "docs" / "page.md").write_text("# Page\n[report](../reports/yours/README.md)\n")
    assert "reports/yours/README.md" in built(small, small / "site")


def test_a_page_that_the_navigation_lacks_is_an_error(small: Path) -> None:
    (small / "docs" / "forgotten.md").write_text("# Forgotten\n")
    assert "forgotten.md" in built(small, small / "site")


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Says nothing of what was asked for."""


@pytest.fixture
def address(site: Path) -> Iterator[str]:
    """Where the site is served."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(site))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.mark.parametrize("width", [390, 1280])
def test_it_is_read_and_searched_and_asks_no_other_server(address: str, width: int) -> None:
    with chromium() as browser:
        opener = Opener(browser, own=address)
        for name in ("index", "tutorials/study_overfitting", "commands/run", "python", "reports/paper/sr_x4/index"):
            page = opener(f"{address}{name}.html", width=width)
            assert overflow(page) == 0, name
        page.keyboard.press("/")
        page.keyboard.type("checkpoint")
        page.wait_for_selector(".md-search-result__item")
        opener.close()
