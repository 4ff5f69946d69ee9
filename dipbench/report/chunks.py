"""The data that the page's scripts read: a file an image, which is loaded when it is looked at."""

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dipbench.report.album import Album
from dipbench.report.colours import GREY, short_names
from dipbench.report.drawing import Drawing
from dipbench.report.explore import curves_in
from dipbench.report.sweep import Sweep
from dipbench.report.viewer import pictures_in
from dipbench.store.outputs import kind_of
from dipbench.store.store import Store
from dipbench.text import plain_numbers

FOLDER = "explore"


@dataclass(frozen=True)
class Explorable:
    """What the page must know of an experiment before it loads an image of it; `content` is for its scripts."""

    content: dict[str, Any] = field(default_factory=dict)
    has_curves: bool = False
    has_pictures: bool = False

    @property
    def json(self) -> str:
        """The content as a script element can hold it."""
        return as_json(self.content)


def write_chunks(store: Store, drawing: Drawing, album: Album, to: Path) -> Explorable:
    """Writes `explore/EXPERIMENT-N.js` for each image N, with the curves and the pictures that are shown.

    Each calls `dipbench.got` with its own name: a page that is read from a disk may not ask for data, but for scripts.
    """
    chapter, labels = drawing.chapter, drawing.labels
    (to / FOLDER).mkdir(exist_ok=True)
    files: dict[str, str] = {}
    has_curves = has_pictures = False
    for number, image in enumerate(chapter.images, start=1):
        curves = curves_in(store, chapter, image, labels)
        pictures = pictures_in(store, chapter, image, labels, album)
        if curves or pictures:
            files[image] = f"{FOLDER}/{chapter.file}-{number}.js"
            data = as_json({"curves": curves or None, "pictures": pictures or None})
            (to / files[image]).write_text(f"dipbench.got({as_json(files[image])}, {data});\n", encoding="utf-8")
        has_curves, has_pictures = has_curves or bool(curves), has_pictures or bool(pictures)
    content = {
        "name": chapter.name,
        "images": files,
        "colours": {label: drawing.colours[label] for label in labels},
        "grey": [label for label in labels if drawing.colours[label] == GREY],
        "short": short_names(labels, most=48),
        "sweep": _of_sweep(drawing.sweep) if drawing.sweep else None,
    }
    return Explorable(content, has_curves, has_pictures)


def _of_sweep(sweep: Sweep) -> dict[str, Any]:
    """The map for `heat.js`: of each output and image the PSNR in dB, row by row, None where there is none."""
    images = list(dict.fromkeys(sweep.numbers["image"]))
    labels = {place: label for label, place in sweep.places.items()}
    order = [labels.get((row, column)) for row in sweep.rows for column in sweep.columns]
    table = sweep.numbers.set_index(["output", "image", "label"])["psnr"]
    known = {key: round(float(psnr), 2) for key, psnr in table.items() if math.isfinite(psnr)}
    return {
        "method": sweep.method,
        "settings": sweep.settings,
        "rows": sweep.rows,
        "columns": sweep.columns,
        "labels": order,
        "outputs": {output: _title(output) for output in sweep.outputs},
        "psnr": {
            output: {image: [known.get((output, image, label)) for label in order] for image in images}
            for output in sweep.outputs
        },
    }


def _title(output: str) -> str:
    kind = kind_of(output)
    return f"{kind.title} (oracle)" if kind.oracle else kind.title


def as_json(content: Any) -> str:
    """JSON without a space, which may stand in a script element."""
    text = json.dumps(plain_numbers(content), separators=(",", ":"), ensure_ascii=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
