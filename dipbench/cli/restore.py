"""The command `dipbench restore`."""

from pathlib import Path
from typing import Annotated

import typer

from dipbench.cli import options
from dipbench.errors import UserError


def restore(
    image: Annotated[Path, typer.Argument(help="The degraded image.")],
    task: Annotated[str, typer.Option(help="What happened to it: denoising[sigma=25].")],
    method: Annotated[str, typer.Option(help="name[setting=value] or file.py.")] = "dip",
    out: Annotated[Path | None, typer.Option(help="Default: the image's name with -METHOD.png.")] = None,
    output: Annotated[str | None, typer.Option(help="final or ema; default: ema if the method has it.")] = None,
    seed: int = 0,
    device: options.Device = "auto",
    plugins: options.Plugins = None,
) -> None:
    """Restore an image for which there is no ground truth."""
    from dipbench import api, registry
    from dipbench.cli.progress import counter
    from dipbench.images.files import check_writable
    from dipbench.spec import parse

    registry.use_folders(plugins)
    path = out or image.with_name(f"{image.stem}-{Path(parse(method).name).stem}.png")
    check_writable(path)
    if path.exists() and path.samefile(image):
        raise UserError(f"cannot write '{path}': it is the image to restore; name another file")
    with counter(f"{parse(method).name} on {image.name}") as progress:
        made = api.restore(image, task=task, method=method, output=output, seed=seed, device=device, progress=progress)
    api.restore_to(path, made)
    print(f"{made.name} output at iteration {made.iteration}: {path}")
