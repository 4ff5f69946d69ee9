"""Writes figures. matplotlib's own `savefig` lays a figure out and draws it twice for each file.

A file is written at once: of what a disk answers to matplotlib, that makes an error of its own.
"""

from io import BytesIO
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.figure import Figure


def lay_out(figure: Figure, dpi: int = 192) -> None:
    """Finds the places of all parts of a figure, once: what is drawn on it later may not need more room."""
    figure.set_dpi(dpi)
    FigureCanvasAgg(figure)
    if engine := figure.get_layout_engine():
        engine.execute(figure)
    figure.set_layout_engine("none")


def save_png(figure: Figure, path: Path) -> None:
    """Of a figure that is laid out, with the pixels of that."""
    content = BytesIO()
    FigureCanvasAgg(figure).print_png(content)  # type: ignore[no-untyped-call]
    path.write_bytes(content.getbuffer())


def save_pdf(figure: Figure, path: Path) -> None:
    """The same, without the time, so that equal figures are equal files."""
    content, dpi = BytesIO(), figure.dpi
    canvas = FigureCanvasPdf(figure)
    canvas.print_pdf(content, metadata={"CreationDate": None})  # type: ignore[no-untyped-call]
    path.write_bytes(content.getbuffer())
    figure.set_dpi(dpi)  # which is 72 in a PDF
