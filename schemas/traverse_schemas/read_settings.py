"""Reads settings from the environment; what is wrong with one is a sentence that names its
variable. Every package has its own class of settings, and reads it here."""

from typing import Final, TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings

from traverse_schemas.errors import TraverseError
from traverse_schemas.judging.sentences import explain

_PREFIX: Final = "TRAVERSE_"
_SHOWN: Final = 60

Read = TypeVar("Read", bound=BaseSettings)


class InvalidSettingError(TraverseError):
    """A variable of the environment has a value that its setting does not take."""


def read_settings(settings: type[Read]) -> Read:
    """The settings of a class, by the environment (TRAVERSE_…). Raises InvalidSettingError."""
    try:
        return settings()
    except ValidationError as error:
        raise InvalidSettingError(_sentence(error)) from None


def _sentence(error: ValidationError) -> str:
    """Of the first problem: one is mended at a time."""
    wrong, problem = error.errors(include_url=False)[0], explain(error)[0]
    name = str(wrong["loc"][0]) if wrong["loc"] else ""
    variable = name.upper() if name.startswith(_PREFIX) else f"{_PREFIX}{name.upper()}"
    said = problem.sentence.replace(f"Le champ {name} ", "il ", 1)
    return f"Réglage {variable}={str(wrong['input'])[:_SHOWN]} : {said}"
