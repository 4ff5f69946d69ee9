"""The command `dipbench restore`."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dipbench.cli import options
from dipbench.errors import UserError

if TYPE_CHECKING:  # it loads torch, which takes seconds
    from dipbench.running.restoring import Restoration
    from dipbench.trace.kept import Output


def restore(
    images: Annotated[list[Path], typer.Argument(help="The degraded image, or several.")],
    task: Annotated[str, typer.Option(help="What happened to it: denoising[sigma=25].")],
    method: Annotated[str, typer.Option(help="name[setting=value], file.py or a package, ./folder.")] = "dip",
    out: Annotated[
        Path | None, typer.Option(help="A file; of several images a folder. Default: beside it, as NAME-METHOD.png.")
    ] = None,
    output: Annotated[
        str | None, typer.Option(help="final or ema; default: ema if the method has it and did not end too soon.")
    ] = None,
    stop: Annotated[
        str | None,
        typer.Option(
            help="The rule that ends a fit (dipbench list rules); last: none. Default: discrepancy, where the noise "
            "level is given or can be estimated."
        ),
    ] = None,
    peak: options.Peak = None,
    seed: Annotated[int, typer.Option(help="Of what the method draws.")] = 0,
    device: options.Device = "auto",
    plugins: options.Plugins = None,
) -> None:
    """Restore an image for which there is no ground truth.

    What is written has 16 bits a channel where the image has more than 8, its colour profile, and is upright. All is
    checked before the first is restored. Ctrl-C keeps what there is of the one in work. Of a fit that diverged no
    picture is written, and the exit status is 2.
    """
    from dipbench import registry
    from dipbench.resources import pick_device
    from dipbench.running import interruption
    from dipbench.running.progress import counter
    from dipbench.running.restoring import Diverged, Restoration, restored
    from dipbench.spec import parse

    registry.use_folders(plugins)
    name, on = Path(parse(method).name.partition(":")[0]).stem, pick_device(device)
    paths = _paths(images, out, name)

    def posed(image: Path) -> Restoration:
        return Restoration.of(image, task, method, output, stop, on, peak)

    # and not kept: they may be many and large
    chosen = [_said(image, path, posed(image)) for image, path in zip(images, paths, strict=True)]
    for rule in dict.fromkeys(filter(None, chosen)):
        words = f"rule '{rule}' ends the fit by the noise level; with --stop last it takes all iterations"
        print(f"dipbench: {words}", file=sys.stderr)
    diverged = False
    with interruption.handled():
        for image, path in zip(images, paths, strict=True):
            wanted = posed(image)
            try:
                with counter(f"{name} on {image.name}") as progress:
                    made = restored(wanted, seed, progress)
            except interruption.Stopped as stopped:
                print(f"dipbench: stopped by {stopped} before there was anything of '{image}'", file=sys.stderr)
                raise typer.Exit(stopped.status) from None
            except Diverged as error:
                print(f"dipbench: '{image}': {error}", file=sys.stderr)
                diverged, stopped_with = True, ""
            else:
                _write(path, made, wanted)
                stopped_with = f"{_at(made, wanted)}: '{path}' is what there was"
            if number := interruption.received():
                print(f"dipbench: stopped{stopped_with}", file=sys.stderr)
                raise typer.Exit(128 + number)
    if diverged:
        raise typer.Exit(2)


def _said(image: Path, path: Path, wanted: "Restoration") -> str:
    """The rule that was chosen; says on standard error what of the noise level nobody gave, and which bits get lost."""
    if wanted.doubt:
        print(f"dipbench: '{image}': {wanted.doubt}", file=sys.stderr)
    if wanted.samples.in_file(path).bits < wanted.samples.bits:
        words = f"'{path}' has 8 bits a channel, and '{image}' more: name it .png or .tif to keep 16"
        print(f"dipbench: {words}", file=sys.stderr)
    return wanted.chosen


def _write(path: Path, made: "Output", wanted: "Restoration") -> None:
    from dipbench.api import write_restored
    from dipbench.contract import Prior
    from dipbench.running import interruption

    write_restored(path, made, wanted.samples)
    stop = wanted.method.stop if isinstance(wanted.method, Prior) else None
    how = f", where {made.rule} stopped it" if made.fired is not None else ""
    if not wanted.output and made.name == "final" and wanted.method.averages(wanted.problem):
        how += ", too soon for the average"
    if stop and stop.fires and made.fired is None and not interruption.received():
        how += f"; {stop.written()} did not fire"
    print(f"{made.name} output{_at(made, wanted)}{how}: {path}", flush=True)


def _at(made: "Output", wanted: "Restoration") -> str:
    """Where it came, counted from 1 as on the page; empty of a method that has no iterations."""
    return f" at iteration {made.iteration + 1}" if made.iteration or wanted.method.fitted else ""


def _paths(images: Sequence[Path], out: Path | None, method: str) -> list[Path]:
    """Where each goes. UserError where one cannot be written, or would take the place of an image or of another."""
    from dipbench.images.files import check_writable

    folder = _folder(out, len(images))
    if out is not None and folder is None:
        paths = [out]
    else:
        paths = [(folder or image.parent) / f"{image.stem}-{method}.png" for image in images]
    for image, path in zip(images, paths, strict=True):
        check_writable(path)
        if path.exists() and any(each.exists() and path.samefile(each) for each in images):
            raise UserError(f"cannot write '{path}': it is the image to restore; name another file")
        if paths.count(path) > 1:
            raise UserError(f"'{image}' and another image would both become '{path}': restore them one after another")
    return paths


def _folder(out: Path | None, count: int) -> Path | None:
    """The folder that is asked for, which is made for several images; None: a file is, or nothing."""
    if out is None or (count == 1 and not out.is_dir()):
        return None
    try:
        out.mkdir(exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot write to folder '{out}': {error.strerror}; {count} images take a folder") from error
    return out
