"""The trace of a run as a file. pandas' own reader takes seven times as long, most of it to find out what it is given.

Each function raises OSError, ValueError or pyarrow's ArrowException for what is not there or cannot be read.
"""

from pathlib import Path

import pandas as pd
import pyarrow as pa
from pyarrow.parquet import ParquetFile


def read_trace(path: Path) -> pd.DataFrame:
    """One row an iteration, one column a signal."""
    return whole_trace(path).to_pandas(use_threads=False)


def whole_trace(path: Path) -> pa.Table:
    """The same as it lies there: enough to know that it can be read."""
    with ParquetFile(path) as file:
        return file.read(use_threads=False)  # files are small and many: threads cost more than they give
