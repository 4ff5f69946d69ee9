"""Pages in a real browser: nothing may be asked of a server but the own one, and the console must stay silent."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

_HARMLESS = ("file:", "data:", "blob:", "about:")


@contextmanager
def chromium() -> Iterator[Any]:
    """A headless Chromium as Playwright's Browser; the test is skipped, with the reason, where there is none."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: no page was opened")
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("there is no chromium on the PATH: no page was opened")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


class Opener:
    """Opens pages, each in a context of its own, and keeps what they asked for and complained of.

    `own` is the address that they may ask too, where they are served.
    """

    def __init__(self, browser: Any, own: str = "file:"):
        self._browser = browser
        self._harmless = (*_HARMLESS, own)
        self._contexts: list[Any] = []
        self.complaints: list[str] = []
        self.requests: list[str] = []

    def __call__(self, place: Path | str, width: int = 1440, height: int = 900, **options: Any) -> Any:
        """Playwright's Page of a file or an address, loaded; `options` are a context's, as `color_scheme="dark"`."""
        context = self._browser.new_context(viewport={"width": width, "height": height}, **options)
        self._contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)  # milliseconds, for a machine that is busy
        page.on("console", lambda said: said.type in ("error", "warning") and self.complaints.append(said.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        page.goto(place if isinstance(place, str) else place.as_uri())
        return page

    def close(self) -> None:
        """Closes the pages; AssertionError where one complained, or asked for more."""
        for context in self._contexts:
            context.close()
        assert self.complaints == []
        assert [url for url in self.requests if not url.startswith(self._harmless)] == []


def overflow(page: Any) -> int:
    """By how many pixels the page is wider than its window."""
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
