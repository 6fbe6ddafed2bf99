"""Writes the JSON Schemas of the events, from the models: one file a kind, action and version.

    python -m traverse_schemas.judging.export_json_schema schemas/traverse_schemas/json_schema

JSON Schema 2020-12. They say the form of an event; what needs a calculation (check digits, the
order of two dates, whether a place exists) is said by the platform's rejections. A file that is
there is replaced only by a schema that takes everything the old one took.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any, Final

from traverse_schemas.decisions import DecisionKind
from traverse_schemas.errors import TraverseError
from traverse_schemas.events import EVENT_TYPES, CallPublished, EventType, event_adapter
from traverse_schemas.judging.schema_compatibility import incompatibilities
from traverse_schemas.records.codes import OUTCOMES, Kind

_LINE_END = re.compile(r"(?<!\n)\n(?!\n)")

DIALECT = "https://json-schema.org/draft/2020-12/schema"
CURRENT = Path(__file__).parent.parent / "json_schema"
"""The schemas that come with the package: those of the models."""
RELEASED = CURRENT / "released"
"""Those of the last release; only a release changes them."""

_RECORD: Final[dict[str, str]] = {
    "published": "The whole record, for the first time, or open again after it was closed or "
    "withdrawn.",
    "updated": "The whole record as it is now; one that is closed stays so.",
    "closed": "The record is over, and how it ended.",
    "withdrawn": "The record is taken back: published in error, or erased.",
}
_SAYS: Final[dict[str, dict[str, str]]] = {
    **dict.fromkeys(Kind, _RECORD),
    DecisionKind.LINK: {
        "same_as": "Two records tell of one thing. It counts when both sides say so: the owner of "
        "each, or the institution that publishes it.",
        "not_same": "Two records do not tell of one thing. It counts when either side says so.",
        "confirmed": "The platform is right: one of the two may answer the other, which counts "
        "when the side in need says so, or they may be bought together, when both sides do.",
        "dismissed": "The platform is wrong to bring the two together. It counts when either side "
        "says so.",
        "withdrawn": "What the same source said under the same subject is taken back.",
    },
    DecisionKind.GROUPING: {
        "interested": "The member may buy with the others of a proposed grouping. It binds nobody.",
        "not_interested": "This purchase is not for a grouping, with anybody, as long as this "
        "stands.",
        "convention": "An agreement is proposed to the members.",
        "deliberated": "The assembly of the member has decided to take part.",
        "constituted": "The member has signed; the grouping is constituted once two have.",
        "withdrawn": "What the same source said under the same subject is taken back.",
    },
}
"""What each type of event says, by kind and action."""


class IncompatibleSchemaError(TraverseError):
    """A schema would refuse what the released one of the same version takes."""

    def __init__(self, path: str, reasons: list[str]) -> None:
        super().__init__(
            f"Le schéma {path} n'accepterait plus ce qu'il acceptait ({' ; '.join(reasons)}) : "
            "rendez le changement compatible, ou créez une nouvelle version du type."
        )
        self.reasons = reasons


def json_schemas() -> dict[str, dict[str, Any]]:
    """The schema of every known type by its path: `v1/call.published.json`."""
    return {_path(known): json_schema(known) for known in EVENT_TYPES.values()}


def json_schema(known: EventType) -> dict[str, Any]:
    """The schema of one type of event, as a JSON Schema document."""
    schema = event_adapter(known).json_schema()
    says = _SAYS[known.kind][known.action]
    schema["properties"]["type"] = {
        "const": known.name, "description": says, "title": "Type", "type": "string",
    }  # fmt: skip
    parts = schema["$defs"]
    for part in parts.values():
        # The lines of a docstring are those of our code.
        part["description"] = _LINE_END.sub(" ", part["description"])
    data = parts[known.data.__name__]
    # What only validators know and a schema can say.
    if isinstance(known.kind, Kind) and "outcome" in data["properties"]:
        data["properties"]["outcome"] = {
            "description": parts["Outcome"]["description"],
            "enum": sorted(outcome.value for outcome in OUTCOMES[known.kind]),
            "title": "Outcome",
            "type": "string",
        }
    if issubclass(known.data, CallPublished):
        data["required"] = [*data["required"], "url"]
        url = data["properties"]["url"]
        data["properties"]["url"] = {
            **url["anyOf"][0], "description": url["description"], "title": "Url",
        }  # fmt: skip
    return {
        "$schema": DIALECT,
        "$id": f"urn:traverse:schema:{known.kind}.{known.action}:{known.version}",
        "title": f"{known.kind.capitalize()} {known.action}, {known.version}",
        "description": f"CloudEvents 1.0, structured mode. {says}",
        **_ending(known),
        **{key: value for key, value in schema.items() if key not in ("title", "description")},
    }


def _ending(known: EventType) -> dict[str, Any]:
    """What a schema says of its own end: `deprecated` is JSON Schema's, the dates are ours."""
    if known.succession is None:
        return {}
    return {
        "deprecated": True,
        "x-deprecated-since": known.succession.since.isoformat(),
        "x-sunset": known.succession.until.isoformat(),
        "x-successor": known.succession.by,
    }


def export(folder: Path) -> list[Path]:
    """Write the schemas into a folder and give their paths. Raises IncompatibleSchemaError, and
    then writes none."""
    schemas = json_schemas()
    for path, schema in schemas.items():
        if (folder / path).exists():
            released = json.loads((folder / path).read_text(encoding="utf-8"))
            if reasons := incompatibilities(released, schema):
                raise IncompatibleSchemaError(path, reasons)
    written = []
    for path, schema in schemas.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text_of(schema), encoding="utf-8")
        written.append(file)
    return written


def text_of(schema: dict[str, Any]) -> str:
    """A schema as its file holds it."""
    return json.dumps(schema, ensure_ascii=False, indent=2) + "\n"


def _path(known: EventType) -> str:
    return f"{known.version}/{known.kind}.{known.action}.json"


def main(words: list[str]) -> None:
    """Export into the folder that is named, or into the package's own."""
    if len(words) > 1:
        sys.exit("Erreur : donnez un seul dossier, où écrire les schémas.")
    try:
        export(Path(words[0]) if words else CURRENT)
    except TraverseError as error:
        sys.exit(f"Erreur : {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
