"""Where every number of an experiment comes from, for the page: its runs, and the line with which each can be cited.

The lines of many runs are nearly the same, so their parts are kept once; `templates/origins.js` puts them together.
"""

import json
import math
from typing import Any

from dipbench.report.chapters import Chapter, Record
from dipbench.report.citation import origin_of


def origins_of(chapter: Chapter) -> str:
    """JSON that may stand in a page: `texts`, `methods` and `images`, and `runs`, which name those by their places.

    A run is its key, method, image, seed, the parts of `citation.origin_of`, and by output PSNR in dB, empty where
    there is none, and iteration.
    """
    texts: dict[str, int] = {}
    methods = {label: place for place, label in enumerate(dict.fromkeys(chapter.frame["method"]))}
    images = {image: place for place, image in enumerate(dict.fromkeys(chapter.frame["image"]))}
    runs = [_run(record, methods, images, texts) for record in chapter.done]
    content = {"texts": list(texts), "methods": list(methods), "images": list(images), "runs": runs}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _run(record: Record, methods: dict[str, int], images: dict[str, int], texts: dict[str, int]) -> list[Any]:
    parts = [texts.setdefault(part, len(texts)) for part in origin_of(record.result)]
    outputs = {output.output: [_psnr(output.psnr), output.iteration + 1] for output in record.result.outputs}
    return [record.key, methods[record.label], images[record.run.image], record.run.seed, parts, outputs]


def _psnr(psnr: float) -> str:
    return "" if math.isnan(psnr) else f"{psnr:.2f}"
