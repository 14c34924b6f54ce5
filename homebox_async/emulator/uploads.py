"""Files in forms."""

import attrs


@attrs.frozen
class Upload:
    """A file of a form: its name and its content."""

    filename: str
    content: bytes = attrs.field(repr=False)

    @property
    def basename(self) -> str:
        """The name without its folders, whichever slashes they have."""
        return self.filename.replace("\\", "/").rpartition("/")[2]
