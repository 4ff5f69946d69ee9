"""Arrays of NumPy: floating-point numbers in [0, 1] or, where their peak is given, any numbers from 0 to that."""

from io import BytesIO

import numpy as np
from numpy.lib import format as npy

from dipbench.images.picture import Picture, Refused, check_size, from_floats, from_integers


def decode(raw: bytes, peak: int | None = None) -> Picture:
    """The picture in a file of `numpy.save`, of which `peak` is white. Nothing in it is unpickled."""
    file = BytesIO(raw)
    version = npy.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise Refused(f"is a NumPy array of version {version[0]}.{version[1]}: it takes 1.0 and 2.0")
    read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, by_columns, dtype = read_header(file)
    if dtype.kind not in ("f" if peak is None else "fui"):
        raise Refused(
            f"is a NumPy array of {dtype}: it takes floating-point numbers in [0, 1], or integers whose peak is given"
        )
    if len(shape) not in (2, 3) or (*shape, 1)[2] not in (1, 3):
        raise Refused(f"is a NumPy array of shape {shape}: it takes (H, W), (H, W, 1) or (H, W, 3)")
    check_size(shape[1], shape[0], len(raw))
    if len(raw) - file.tell() != (wanted := int(np.prod(shape, dtype=object)) * dtype.itemsize):
        raise Refused(f"holds {len(raw) - file.tell()} bytes of numbers, and its shape {shape} takes {wanted}")
    values = np.frombuffer(raw, dtype, offset=file.tell()).reshape(shape, order="F" if by_columns else "C")
    values = np.atleast_3d(values)
    if dtype.kind == "f":
        return Picture(from_floats(values, peak), top=None)
    top = int(np.iinfo(dtype).max)
    return Picture(from_integers(values, top, peak), top=top)
