"""Pinned files that belong together: what a command fetches, verifies and lists under one name."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence

from dipbench.data.pinned import Copy, PinnedFile
from dipbench.errors import UserError


class FileSet(ABC):
    """The files of a table, as a user knows them."""

    @abstractmethod
    def title(self) -> str:
        """What the files are asked for by, all together."""

    @abstractmethod
    def terms(self) -> str:
        """Under which they may be used, in a line."""

    @abstractmethod
    def files(self) -> Sequence[PinnedFile]:
        """Every file, in the order of the table."""

    @abstractmethod
    def words(self, file: PinnedFile) -> tuple[str, str]:
        """What a user calls a file, and the command that fetches it; empty: nothing does."""

    def fetchable(self, file: PinnedFile) -> bool:
        """Whether a download gives it."""
        return True

    def count(self) -> int:
        """How many things the files hold: the images of a data set, whose masks do not count."""
        return len(self.files())

    def problems(self) -> list[str]:
        """What is wrong, a line for each file that is missing or different; empty: every file is here and right."""
        complaints = [self._checked(file)[0] for file in self.files()]
        return [complaint for complaint in complaints if complaint]

    def places(self) -> Counter[str]:
        """How many files are in the folder, in the cache, or missing; not verified."""
        copies = [file.copy() for file in self.files()]
        return Counter(copy.place if copy else "missing" for copy in copies)

    def wanted(self) -> list[PinnedFile]:
        """The files to fetch: missing, or wrong in the cache. UserError for a wrong file in the user's own folder.

        `out_of_reach` names those that nothing fetches.
        """
        wanted = []
        for file in self.files():
            complaint, copy = self._checked(file)
            if complaint and copy and copy.place == "folder":
                raise UserError(complaint)
            if complaint and self.fetchable(file):
                wanted.append(file)
        return wanted

    def out_of_reach(self) -> list[str]:
        """A line for each file that is missing or different, and that nothing fetches."""
        complaints = [self._checked(file)[0] for file in self.files() if not self.fetchable(file)]
        return [complaint for complaint in complaints if complaint]

    def _checked(self, file: PinnedFile) -> tuple[str, Copy | None]:
        return file.checked(*self.words(file))
