"""Layers: for which readers purchases are grouped. Pure.

Groupings are formed for each layer from what all its readers may read, and nothing else: so a
restricted need changes no grouping that others see, not even by pushing two members apart.
"""

from typing import Final

BASE: Final = ("public", "members", "buyers")


def layers_of(audience: str) -> tuple[str, ...]:
    """The layers in which a record of this audience is grouped. A public one is also in those of
    the restricted records beside it, which are found from these."""
    match audience:
        case "public":
            return BASE
        case "members":
            return ("members", "buyers")
        case _:
            return (audience,)
