"""Layers: for which readers purchases are grouped. Pure.

Groupings are formed for each layer from what all its readers may read, and nothing else: so a
restricted need changes no grouping that others see, not even by pushing two members apart.
"""

from typing import Final

BASE: Final = ("public", "members", "buyers")
"""The layers that all of one kind read, each within the next."""


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


def narrowest(left: str, right: str) -> str:
    """The layer of the fewest readers that may read either of two audiences: that of whoever may
    read both."""
    restricted = sorted({left, right} - set(BASE))
    return restricted[0] if restricted else max(left, right, key=BASE.index)
