"""A folder of photos of meters, and which row each of them belongs to."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from ..errors import Problem
from ..uploads import as_upload
from .sources import SourceError

_SUFFIXES = {
    *(".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".heic", ".heif", ".avif")
}


class Photos:
    """The files of one folder; a row names its photo, or the photo is named after its row.

    Case does not count in names, and in those after a row the suffix does not either.
    """

    def __init__(self, folder: Path) -> None:
        self._by_name: dict[str, Path] = {}
        self._by_stem: defaultdict[str, list[Path]] = defaultdict(list)
        self._used: set[str] | None = None
        try:
            files = sorted(each for each in folder.iterdir() if each.is_file())
        except NotADirectoryError:
            raise SourceError(f"{folder}: is a file; name the folder of the photos") from None
        except OSError as error:
            raise SourceError(
                f"{folder}: the photos cannot be read ({error.strerror}); name another folder"
            ) from error
        for path in files:
            if path.is_symlink() and not path.resolve().is_relative_to(folder.resolve()):
                raise SourceError(
                    f"{folder}: {path.name} is a link that leads out of the folder; put the photo"
                    " itself there"
                )
            self._by_name[path.name.casefold()] = path
            if path.suffix.lower() in _SUFFIXES:
                self._by_stem[path.stem.casefold()].append(path)

    def find(self, name: str, after: str) -> tuple[Path | None, list[Problem]]:
        """Return the photo that a row names, or else the one named `after` the row.

        With it comes what is wrong with it; a row without any has no photo, which is not wrong.
        """
        if self._used is None:
            self._used = set()
        path = self.get(name, after)
        if path is None:
            if name:
                fix = "put it there, or correct its name"
                return None, [Problem("photo", "is not in the folder", fix)]
            return None, []
        if not name and len(self._by_stem[after]) > 1:
            fix = "keep one of them, or name it in a column photo"
            return None, [Problem("photo", "is there more than once", fix)]
        self._used.add(path.name)
        return path, as_upload("photo", path)[1]

    def get(self, name: str, after: str) -> Path | None:
        """Return the photo of a row, unchecked."""
        if name:
            # By the names that were listed: no path leads out of the folder.
            return self._by_name.get(name.casefold())
        return next(iter(self._by_stem.get(after, ())), None)

    @property
    def surplus(self) -> tuple[str, ...]:
        """The photos that no row has, once rows have looked for theirs."""
        used = self._used
        if used is None:
            return ()
        return tuple(
            path.name for paths in self._by_stem.values() for path in paths if path.name not in used
        )
