"""Whether a schema still takes everything that an older one took.

Publishers upgrade when they can: what was valid under a released schema stays valid under every
later one of the same version. JSON Schema 2020-12; keywords that are not compared one by one may
not change at all.
"""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

Schema: TypeAlias = Mapping[str, Any]

_WORDS = {"title", "description", "default", "examples", "deprecated", "$comment", "$id", "$schema",
          "$defs", "discriminator"}  # fmt: skip
_LOWER = {"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"}
_UPPER = {"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"}
_COMPARED = {"$ref", "type", "enum", "const", "anyOf", "oneOf", "properties", "required",
             "additionalProperties", "items"}  # fmt: skip
_ABSENT = object()


def incompatibilities(old: Schema, new: Schema) -> list[str]:
    """What the old schema took and the new one does not, a sentence each; [] when nothing.

    Both are whole documents: `$ref` is resolved in the document it stands in. A sentence begins
    with the place, as a path of property names (`[]` for the elements of a list).
    """
    return list(dict.fromkeys(_Comparison(old, new).of(old, new, "", frozenset())))


class _Comparison:
    def __init__(self, old_root: Schema, new_root: Schema) -> None:
        self._old_root = old_root
        self._new_root = new_root

    def of(self, old: Any, new: Any, at: str, seen: frozenset[tuple[str, str]]) -> Iterator[str]:
        """`seen` holds the pairs of references that led here: a schema may contain itself."""
        pair = (_reference(old), _reference(new))
        if all(pair):
            if pair in seen:
                return
            seen |= {pair}
        old, new = _resolved(old, self._old_root), _resolved(new, self._new_root)
        ways, new_ways = _alternatives(old), _alternatives(new)
        if len(ways) == len(new_ways) == 1 and ways[0] is old and new_ways[0] is new:
            yield from self._one(old, new, at, seen)
            return
        for way in ways:
            # The new schema takes this alternative when one of its own does; otherwise the one
            # that comes nearest says why not.
            found = [list(self.of(way, new_way, at, seen)) for new_way in new_ways]
            yield from min(found, key=len)

    def _one(
        self, old: Schema, new: Schema, at: str, seen: frozenset[tuple[str, str]]
    ) -> Iterator[str]:
        place = at or "(document)"
        yield from _types(old, new, place)
        yield from _values(old, new, place)
        yield from _bounds(old, new, place)
        yield from self._object(old, new, at, seen)
        if "items" in new:
            yield from self.of(old.get("items", {}), new["items"], f"{at}[]", seen)
        for keyword in sorted((old.keys() | new.keys()) - _WORDS - _COMPARED - _LOWER - _UPPER):
            if keyword.startswith("x-"):
                continue  # ours, and about the schema
            # Taking a constraint away is fine; another one, or a new one, may refuse more.
            if keyword in new and new[keyword] != old.get(keyword, _ABSENT):
                yield f"{place}: {keyword} is new or changed"

    def _object(
        self, old: Schema, new: Schema, at: str, seen: frozenset[tuple[str, str]]
    ) -> Iterator[str]:
        place = at or "(document)"
        before, after = old.get("properties", {}), new.get("properties", {})
        for name in sorted(set(new.get("required", ())) - set(old.get("required", ()))):
            yield f"{_below(at, name)}: is now required"
        other_before = old.get("additionalProperties", True)
        other_after = new.get("additionalProperties", True)
        for name, schema in before.items():
            if name in after:
                yield from self.of(schema, after[name], _below(at, name), seen)
            else:
                yield f"{_below(at, name)}: was removed"
        for name in sorted(after.keys() - before.keys()):
            # Whoever used the name before for something of their own may be refused now.
            if other_before is not False:
                known = {} if other_before is True else other_before
                yield from self.of(known, after[name], _below(at, name), seen)
        if other_after is not True and other_before is not False:
            if other_after is False:
                yield f"{place}: no longer takes unknown properties"
            else:
                known = {} if other_before is True else other_before
                yield from self.of(known, other_after, _below(at, "*"), seen)


def _below(at: str, name: str) -> str:
    return f"{at}/{name}"


def _reference(schema: Any) -> str:
    return str(schema.get("$ref", "")) if isinstance(schema, Mapping) else ""


def _resolved(schema: Any, root: Schema) -> Schema:
    """The schema that a reference names; `true` is the empty schema, `false` takes nothing."""
    if schema is True:
        return {}
    if schema is False:
        return {"enum": []}
    reference = schema.get("$ref")
    if reference is None:
        return schema  # type: ignore[no-any-return]
    target: Any = root
    for part in reference.removeprefix("#/").split("/"):
        target = target[part.replace("~1", "/").replace("~0", "~")]
    beside = {key: value for key, value in schema.items() if key != "$ref"}
    return _resolved({**target, **beside}, root)


def _alternatives(schema: Schema) -> list[Schema]:
    """The alternatives of `anyOf` or `oneOf` (each with what stands beside), else the schema."""
    for keyword in ("anyOf", "oneOf"):
        if keyword in schema:
            beside = {key: value for key, value in schema.items() if key != keyword}
            return [{**beside, **way} for way in schema[keyword]]
    return [schema]


def _type_names(schema: Schema) -> set[str]:
    """The JSON types that a schema takes, by its `type` or by its values."""
    said = schema.get("type")
    if said is None:
        return {"null", "boolean", "number", "integer", "string", "array", "object"}
    names = {said} if isinstance(said, str) else set(said)
    return names | {"integer"} if "number" in names else names


def _types(old: Schema, new: Schema, place: str) -> Iterator[str]:
    if "enum" in old or "const" in old:
        return  # the values say it more exactly
    lost = _type_names(old) - _type_names(new)
    if lost:
        yield f"{place}: no longer takes the types {', '.join(sorted(lost))}"


def _values(old: Schema, new: Schema, place: str) -> Iterator[str]:
    after = _listed(new)
    if after is None:
        return
    before = _listed(old)
    if before is None:
        yield f"{place}: takes only listed values now"
        return
    lost = [value for value in before if value not in after]
    if lost:
        yield f"{place}: no longer takes the values {', '.join(map(repr, lost))}"


def _listed(schema: Schema) -> list[Any] | None:
    if "const" in schema:
        return [schema["const"]]
    return schema.get("enum")


def _bounds(old: Schema, new: Schema, place: str) -> Iterator[str]:
    for keyword in sorted((_LOWER | _UPPER) & new.keys()):
        limit, before = new[keyword], old.get(keyword)
        wider = before is not None and (before >= limit if keyword in _LOWER else before <= limit)
        if not wider:
            yield f"{place}: {keyword} is {limit}, was {'free' if before is None else before}"
