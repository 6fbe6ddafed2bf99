"""NUTS: the statistical regions of the EU (Regulation (EC) No 1059/2003, Eurostat).

Three codings of France occur in notices: NUTS 2010 and older (`FR824`, overseas `FR9xx`), 2013
(the same on the mainland, overseas `FRAxx`), and 2016, 2021 and 2024 (`FRL04`, overseas `FRYxx`).
"""

# Level 3 is the département. Each text lists the départements of one level-2 region in the order
# of the last digit, 1 first (0 where the region has a single one).
# Eurostat: "History of NUTS", and "Correspondence tables" 2013-2016.
_MAINLAND = {
    ("FR10",): "75 77 78 91 92 93 94 95",
    ("FR21", "FRF2"): "08 10 51 52",
    ("FR22", "FRE2"): "02 60 80",
    ("FR23", "FRD2"): "27 76",
    ("FR24", "FRB0"): "18 28 36 37 41 45",
    ("FR25", "FRD1"): "14 50 61",
    ("FR26", "FRC1"): "21 58 71 89",
    ("FR30", "FRE1"): "59 62",
    ("FR41", "FRF3"): "54 55 57 88",
    ("FR42", "FRF1"): "67 68",
    ("FR43", "FRC2"): "25 39 70 90",
    ("FR51", "FRG0"): "44 49 53 72 85",
    ("FR52", "FRH0"): "22 29 35 56",
    ("FR53", "FRI3"): "16 17 79 86",
    ("FR61", "FRI1"): "24 33 40 47 64",
    ("FR62", "FRJ2"): "09 12 31 32 46 65 81 82",
    ("FR63", "FRI2"): "19 23 87",
    ("FR71", "FRK2"): "01 07 26 38 42 69 73 74",
    ("FR72", "FRK1"): "03 15 43 63",
    ("FR81", "FRJ1"): "11 30 34 48 66",
    ("FR82", "FRL0"): "04 05 06 13 83 84",
    ("FR83", "FRM0"): "2A 2B",
}
_OVERSEAS = {
    1: ("971", "01"),
    2: ("972", "02"),
    3: ("973", "03"),
    4: ("974", "04"),
    5: ("976", "06"),
}

# Levels 1 and 2: the present région that holds the whole of it. Level 2 is a région of before 2016
# (loi n° 2015-29), thus often a part of the present one.
_REGIONS = {
    "11": "FR1 FR10",
    "24": "FR24 FRB FRB0",
    "27": "FR26 FR43 FRC FRC1 FRC2",
    "28": "FR23 FR25 FRD FRD1 FRD2",
    "32": "FR22 FR3 FR30 FRE FRE1 FRE2",
    "44": "FR21 FR41 FR42 FRF FRF1 FRF2 FRF3",
    "52": "FR51 FRG FRG0",
    "53": "FR52 FRH FRH0",
    "75": "FR53 FR61 FR63 FRI FRI1 FRI2 FRI3",
    "76": "FR62 FR81 FRJ FRJ1 FRJ2",
    "84": "FR7 FR71 FR72 FRK FRK1 FRK2",
    "93": "FR82 FRL FRL0",
    "94": "FR83 FRM FRM0",
}
# Several régions, all overseas départements together, or no place at all (extra-regio).
_FRANCE = "FR FR2 FR4 FR5 FR6 FR8 FR9 FRA FRY FRZ FRZZ FRZZZ FR0 FRX FRXX FRXXX"


def _build() -> dict[str, str]:
    table = dict.fromkeys(_FRANCE.split(), "fr")
    table |= {nuts: f"reg:{code}" for code, all_ in _REGIONS.items() for nuts in all_.split()}
    for parents, departments in _MAINLAND.items():
        for digit, department in enumerate(departments.split(), start=1):
            table |= {f"{parent}{digit}": f"dep:{department}" for parent in parents}
    for digit, (department, region) in _OVERSEAS.items():
        table |= {f"FR{letter}{digit}": f"reg:{region}" for letter in "9AY"}
        table |= {f"FR{letter}{digit}0": f"dep:{department}" for letter in "9AY"}
    return table


_TERRITORIES = _build()


def nuts_to_territory(code: str) -> str | None:
    """The smallest of our territories that holds a French NUTS region, as a typed code.

    `"FRL04"` and `"FR824"` -> `"dep:13"`; `"FRL0"` -> `"reg:93"`; an old région -> the present one
    that holds it (`"FRK2"`, Rhône-Alpes -> `"reg:84"`); what spans several -> `"fr"`. None for a
    code of another country, or one that France never had.
    """
    return _TERRITORIES.get(code.strip().upper())
