"""Draws docs/report.png, the picture of the README: the first screens of a report, as a browser shows them.

dipbench run quickstart
python benchmarks/tools/readme_picture.py results/quickstart/report/index.html
"""

from pathlib import Path
from shutil import which
from typing import Annotated

import typer
from PIL import Image
from playwright.sync_api import sync_playwright

PICTURE = Path(__file__).parents[2] / "docs" / "report.png"
WIDTH, HEIGHT = 1120, 1830  # pixels: the findings, the table and the curves of an experiment
COLOURS = 128


def main(page: Annotated[Path, typer.Argument(help="The index.html of a report.")], out: Path = PICTURE) -> None:
    """Writes the picture."""
    with sync_playwright() as browsers:
        browser = browsers.chromium.launch(executable_path=which("chromium"), args=["--no-sandbox"])
        shown = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        shown.goto(page.resolve().as_uri())
        shown.wait_for_selector(".explore-pictures img")
        shown.screenshot(path=out)
        browser.close()
    with Image.open(out) as picture:
        picture.convert("RGB").quantize(COLOURS).save(out, optimize=True)
    print(out)


if __name__ == "__main__":
    typer.run(main)
