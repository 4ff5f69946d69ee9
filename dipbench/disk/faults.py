"""What a disk answers that says nothing of the file that was asked for: it may be as whole as ever."""

import errno

_OF_THE_FILE = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG}


def is_of_the_disk(error: Exception) -> bool:
    """Whether an error on reading is such, as an I/O error is, and no word about what lies where a file should."""
    return isinstance(error, OSError) and error.errno is not None and error.errno not in _OF_THE_FILE
