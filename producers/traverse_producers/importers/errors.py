"""The errors of importers. `str(error)` is the one French sentence that the user reads."""

from traverse_schemas.errors import TraverseError


class UnreadableFileError(TraverseError):
    """A file that cannot be read, or not further; importers turn it into a `Dropped`."""
