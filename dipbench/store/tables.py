"""The trace of a run as a file that anybody may have made: looked at before it is read, and again before it is used."""

from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow.parquet import ParquetFile, write_table

from dipbench.errors import UserError
from dipbench.spec import parse

FILE = "trace.parquet"
"""What it is called in the folder of its run."""

MOST_NUMBERS = 10**8
"""Iterations times signals: a fit of a million iterations with a hundred of them."""

_NEEDED = ("iteration", "psnr")

_RUN = b"dipbench.run"  # where the file of a trace says of which run it is


def as_file(trace: pd.DataFrame, run: str) -> bytes:
    """What `trace_in` reads: it says of which run it is, and has a check sum for each part of its numbers."""
    table, content = pa.Table.from_pandas(trace, preserve_index=False), BytesIO()
    about = {**(table.schema.metadata or {}), _RUN: run.encode()}
    write_table(table.replace_schema_metadata(about), content, write_page_checksum=True)
    return content.getvalue()


def trace_in(path: Path) -> pd.DataFrame:
    """One row an iteration, one column a signal, float64 or as it lies there. Errors as of `table_in`.

    The words of pandas in the file, which may name types to be made, are not heeded.
    """
    return table_in(path).to_pandas(ignore_metadata=True, use_threads=False)


def table_in(path: Path) -> pa.Table:
    """The same as pyarrow has it.

    OSError, pyarrow's ArrowException, and ValueError where it is no table of numbers with what every trace has, or says
    that it is of another run than the folder is named for.
    """
    if not path.is_file():
        raise ValueError("there is no such file")
    with ParquetFile(path, page_checksum_verification=True) as file:
        check_schema(file)
        run = (file.schema_arrow.metadata or {}).get(_RUN, path.parent.name.encode()).decode(errors="replace")
        if run != path.parent.name:  # earlier versions did not say
            raise ValueError(f"it is the trace of run {run[:80]}")
        table = file.read(use_threads=False)  # files are small and many: threads cost more than they give
    iterations = table["iteration"]
    if not table.num_rows or iterations.null_count or not _count_up(iterations.to_numpy()):
        raise ValueError("its iterations are not counted from 0 on")
    return table


def _count_up(iterations: NDArray[Any]) -> bool:
    return bool(iterations[0] >= 0 and (iterations[1:] >= iterations[:-1]).all())


def check_schema(file: ParquetFile) -> None:
    """ValueError for what holds other than numbers, more of them than a fit makes, or lacks what each trace has."""
    about, schema = file.metadata, file.schema_arrow
    names = schema.names
    if about.num_rows * len(names) > MOST_NUMBERS:
        raise ValueError(f"it says that it has {about.num_rows} rows of {len(names)} columns: it is damaged")
    if missing := [name for name in _NEEDED if name not in names]:
        raise ValueError(f"it has no column {missing[0]}")
    for name, kind in zip(names, schema.types, strict=True):
        if names.count(name) > 1 or not _is_signal(name):
            raise ValueError(f"its column '{name[:80]}' is called as no signal is")
        if not (pa.types.is_floating(kind) or pa.types.is_integer(kind)) or pa.types.is_float16(kind):
            raise ValueError(f"its column '{name[:80]}' holds {kind}: it takes numbers")
    if not pa.types.is_integer(schema.field("iteration").type):
        raise ValueError("its iterations are no whole numbers")


def _is_signal(name: str) -> bool:
    try:
        return bool(parse(name))
    except UserError:
        return False
