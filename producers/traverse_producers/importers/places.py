"""Where a row of a feed is: typed territory codes out of codes that are wrong in all real ways.

A record is never lost for its place. In order: the code as it is typed, unless the place's name
says that it was meant otherwise; the name, in the département that the code tells or in the
buyer's; the territory of the buyer, where it is in that département; the département; the one
that is named; France.
"""

import re
from collections.abc import Callable

from traverse_producers.importers.place_names import commune_names, core
from traverse_schemas.reference.rows import Commune
from traverse_schemas.reference.territories import Territories
from traverse_schemas.values.nuts import nuts_to_territory
from traverse_schemas.values.place import is_territory

FRANCE = "fr"
_POSTAL_IN_NAME = re.compile(r"(?<![0-9])([0-9]{5})(?![0-9])")
_WITH_DISTRICTS = ("13055", "69123", "75056")  # their postal codes are arrondissements
_FRANCE_CODES = frozenset({"FR", "FRA", "250", "FRANCE"})  # ISO 3166-1


class Places:
    """Finds places in the reference tables. Every code it gives is known to them."""

    def __init__(self, territories: Territories) -> None:
        self._all = territories
        self._by_type: dict[str, Callable[[str, str], str | None]] = {
            "code postal": self._postal,
            "code commune": self._commune,
            "code departement": self._department,
            "code arrondissement": self._part_of_department,
            "code canton": self._part_of_department,
            "code region": self._region,
            "code pays": self._country,
        }
        self._departments = {core(row.name): row.code for row in territories.departments()}
        self._regions = {core(row.name): row.code for row in territories.regions()}

    def of_coded(self, code: str, type_code: str, name: str, buyer: str | None) -> str:
        """The place of a DECP `lieuExecution` (its three fields), as one territory code.

        `buyer` is the SIREN or SIRET of the buyer, or None. The types are those of the arrêté of
        22 March 2019 (annex): postal code, commune, arrondissement, canton, département, région,
        country.
        """
        code, kind = code.strip().upper(), type_code.strip().lower().translate(_UNACCENTED)
        reader = self._by_type.get(kind)
        found = reader(code, name) if reader and code else None
        return found or self._fallback(self._department_of(code, kind), name, buyer)

    def of_commune(self, insee: str, name: str, department: str, owner: str | None) -> str:
        """The place of a row that has a commune (INSEE, zeros restored) and a département.

        The département wins over a commune elsewhere: feeds of subsidies give the commune of the
        beneficiary's seat, and the département in which the project is.
        """
        commune = self._all.commune(insee)
        known = department if self._all.department(department) else None
        if commune is not None and known in (None, commune.department):
            return self._kept_district(insee) or commune.code
        return self._fallback(known, name, owner)

    def of_nuts(self, nuts: str) -> str | None:
        """The territory of a French NUTS code that the tables know; None for another country."""
        return self._known(nuts_to_territory(nuts))

    def of_site(self, text: str, department: str) -> str | None:
        """The commune that a free text names or gives the postal code of, in a département."""
        match = _POSTAL_IN_NAME.search(text)
        if match and (found := self._postal_in(match[1], department, text)):
            return found
        named = self._named(text, department)
        return named.code if named else None

    def of_address(self, postal_code: str, town: str) -> str | None:
        """The commune of a postal address, CEDEX included; else its département; else None."""
        found = self._postal(postal_code, town)
        department = self._department_of(postal_code, "code postal")
        if found is None and department is not None:
            named = self._named(town, department)
            found = named.code if named else f"dep:{department}"
        return found

    def of_owner(self, number: str | None) -> str | None:
        """The territory that the holder of a SIREN or SIRET governs, or None."""
        if not number:
            return None
        institution = self._all.by_siren(number[:9])
        return institution.territory if institution else None

    def department_of(self, territory: str) -> str | None:
        """The code of the département (the first, of several) in which a territory is."""
        chain = self._all.chain(territory)
        step = chain.first("dep") if chain else None
        return step.code[4:] if step else None

    def _known(self, territory: str | None) -> str | None:
        if territory is None or not is_territory(territory) or self._all.chain(territory) is None:
            return None
        return territory

    def _kept_district(self, insee: str) -> str | None:
        former = self._all.former(insee)
        return f"com:{insee}" if former and former.kind == "district" else None

    def _postal(self, code: str, name: str) -> str | None:
        # Some feeds have the postal code in the place of the name, and something else as code.
        in_name = _POSTAL_IN_NAME.fullmatch(name.strip())
        if in_name and self._all.communes_of_postal(in_name[1]):
            return f"cp:{in_name[1]}"
        if len(code) == 9:
            return self._known(f"epci:{code}")
        if len(code) <= 3:  # a département's number under the wrong type
            return self._in_department(code, name)
        padded = code.zfill(5)
        served = self._all.communes_of_postal(padded) if len(code) in (4, 5) else ()
        if not served:
            return None
        named = self._named(name, served[0].department)
        if named is not None and named in served:
            return f"cp:{padded}" if named.insee in _WITH_DISTRICTS else named.code
        # Four digits are a zero lost, or any other digit: only the name can tell.
        return f"cp:{padded}" if len(code) == 5 else None

    def _commune(self, code: str, name: str) -> str | None:
        padded = code.zfill(5)
        if len(code) not in (4, 5):
            return self._department(code, name)
        commune = self._all.commune(padded)
        # 13001 is Aix-en-Provence for INSEE and Marseille 1er for the post: when the name goes
        # with the postal code and not with the commune, the type was wrong.
        if commune is None or (name and self._contradicts(name, padded, commune.insee)):
            return self._postal(code, name)
        if len(code) == 4 and self._named(name, commune.department) != commune:
            return None
        return self._kept_district(padded) or commune.code

    def _contradicts(self, name: str, code: str, insee: str) -> bool:
        for served in self._all.communes_of_postal(code):
            named = self._named(name, served.department)
            if named is not None:
                return named.insee != insee and named in self._all.communes_of_postal(code)
        return False

    def _postal_in(self, code: str, department: str, text: str) -> str | None:
        served = self._all.communes_of_postal(code)
        if not served or served[0].department != department:
            return None
        rest = text.replace(code, " ").strip(" .,()-—")
        named = self._named(rest, department)
        return named.code if named and named in served else f"cp:{code}"

    def _department(self, code: str, name: str) -> str | None:
        if nuts := self.of_nuts(code):
            return nuts
        return self._in_department(code, name)

    def _in_department(self, code: str, name: str) -> str | None:
        number = self._department_of(code, "code departement")
        if number is None:
            return None
        if self._departments.get(core(name)) == f"dep:{number}":
            return f"dep:{number}"  # Mayenne is a commune too
        named = self._named(name, number)
        return named.code if named else f"dep:{number}"

    def _part_of_department(self, code: str, name: str) -> str | None:
        # Arrondissements and cantons: no level of ours; by name when it is a commune's too.
        number = self._department_of(code, "code arrondissement")
        named = self._named(name, number) if number else None
        return named.code if named else None

    def _region(self, code: str, name: str) -> str | None:
        # No zero is restored here: 3 is not Guyane (03) for those who type one digit.
        said = core(name)
        named = (found for label, found in self._regions.items() if label in said)
        return self._known(f"reg:{code}") or next(named, None)

    def _country(self, code: str, _name: str) -> str | None:
        return FRANCE if code in _FRANCE_CODES else None

    def _department_of(self, code: str, kind: str) -> str | None:
        """The département that a code begins with, when the tables know it.

        Two or three digits are its own number (with zeros lost or added), more begin with it.
        """
        if kind in ("code region", "code pays") or (kind == "code postal" and len(code) == 4):
            return None
        if kind == "code postal" and code[:2] == "20" and len(code) == 5:
            code = "2A" if code < "20200" else "2B"  # La Poste kept 20 when Corse was divided
        short = code.lstrip("0").zfill(2) if len(code) <= 3 else ""
        candidates = (short, code[:3] if code[:2] in ("97", "98") else code[:2])
        return next((c for c in candidates if c and self._all.department(c)), None)

    def _fallback(self, department: str | None, name: str, buyer: str | None) -> str:
        own = self.of_owner(buyer)
        for where in (department, self.department_of(own) if own else None):
            if where and (named := self._named(name, where)):
                return named.code
        if own is not None and (department is None or self._touches(own, department)):
            return own
        return f"dep:{department}" if department else self._departments.get(core(name), FRANCE)

    def _named(self, text: str, department: str) -> Commune | None:
        """The commune of a département that a free text names."""
        found = (self._all.find_commune(name, department) for name in commune_names(text))
        return next((commune for commune in found if commune), None)

    def _touches(self, territory: str, department: str) -> bool:
        chain = self._all.chain(territory)
        return chain is not None and f"dep:{department}" in chain.codes


_UNACCENTED = str.maketrans("éèêç", "eeec")
