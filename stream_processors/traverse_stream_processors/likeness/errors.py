"""What can be wrong with a model of likeness."""

from traverse_schemas.errors import TraverseError


class LikenessModelError(TraverseError):
    """The file of a model is missing, damaged, or of another form."""


class TooLittleTextError(TraverseError, ValueError):
    """There is too little text to learn from."""
