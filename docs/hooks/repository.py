"""The files of the repository that lie outside docs/, as a part of the site.

A link from page to page is written as a code host reads it, from file to file of the repository. What the navigation
names or a page links to comes into the site at the same path; what lies in docs/ stands at the root of the site. A
folder is shown by the README that is in it, or the nearest above it.
"""

import posixpath
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

LINK = re.compile(r"(?<=\]\()(?![a-z]+:)([^)#\s]+)(?=[)#])")


def on_files(files: Files, config: MkDocsConfig) -> None:
    """Takes in what is reached, and writes out the folders of the navigation as their pages."""
    root = Path(config.config_file_path).parent
    waiting = [root / "docs" / path for path in files.src_uris if path.endswith(".md")]
    waiting += [root / path for path in _reports(root)]
    waiting += [root / entry for entry in _entries(config.nav) if entry.endswith(".md")]
    seen: set[Path] = set()
    while waiting:
        path = waiting.pop()
        if path in seen or not path.is_file():  # mkdocs warns of a link to what is not there
            continue
        seen.add(path)
        place = _place(path, root)
        if files.get_file_from_path(place) is None:
            files.append(File.generated(config, place, abs_src_path=str(path)))
        if path.suffix == ".md":
            waiting += [_shown(path.parent / link) for link in LINK.findall(path.read_text())]
    config.nav = [_opened(entry, sorted(files.src_uris, key=_order)) for entry in config.nav or []]


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turns a link between files of the repository into one between files of the site."""
    if page.file.abs_src_path is None:  # made when the site is built
        return markdown
    here, root = Path(page.file.abs_src_path).parent, Path(config.config_file_path).parent
    start = posixpath.dirname(page.file.src_uri)
    return LINK.sub(lambda link: posixpath.relpath(_place(_shown(here / link[1]), root), start), markdown)


def _shown(target: Path) -> Path:
    """The file that a link leads to."""
    path = Path(posixpath.normpath(target))
    if not path.is_dir():
        return path
    return next(folder / "README.md" for folder in (path, *path.parents) if (folder / "README.md").is_file())


def _place(path: Path, root: Path) -> str:
    """Where a file of the repository is in the site."""
    return path.relative_to(root).as_posix().removeprefix("docs/")


def _reports(root: Path) -> Iterator[str]:
    for path in sorted(root.glob("reports/**/README.md")):
        yield path.relative_to(root).as_posix()


def _entries(nav: Any) -> Iterator[str]:
    """The paths that a navigation names."""
    if isinstance(nav, str):
        yield nav
    elif nav:
        for entry in nav.values() if isinstance(nav, dict) else nav:
            yield from _entries(entry)


def _order(path: str) -> tuple[str, bool, str]:
    """In a folder its first page comes first."""
    folder, name = posixpath.split(path)
    return folder, name not in ("index.md", "README.md"), name


def _opened(entry: Any, paths: Iterable[str]) -> Any:
    """An entry of the navigation, with the pages of a folder in place of its name."""
    if isinstance(entry, str) and entry.endswith("/"):
        return [path for path in paths if path.startswith(entry) and path.endswith(".md")]
    if isinstance(entry, dict):
        return {title: _opened(inner, paths) for title, inner in entry.items()}
    if isinstance(entry, list):
        opened = [_opened(inner, paths) for inner in entry]
        return [page for inner in opened for page in (inner if isinstance(inner, list) else [inner])]
    return entry
