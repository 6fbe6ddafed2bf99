"""The document of an opportunity, as `traverse.opportunities` and the index hold it.

Dates are ISO 8601 text. What depends on today's date is not here: `status.py` computes it when
asked.
"""

from typing import Final, Literal, NotRequired, TypedDict

from traverse_schemas.visibility import Visibility


class InstitutionRef(TypedDict):
    """An institution as people see it; `siren` is missing where only a name is known."""

    siren: NotRequired[str]
    name: str
    kind: str
    role: Literal["owner", "source"]


class SourceRef(TypedDict):
    """Who said it, under which reference, and when last."""

    source: str
    subject: str
    updated_at: str
    url: NotRequired[str]


class Territory(TypedDict):
    """The first place of the record, in words, with the levels above it."""

    code: str
    name: str
    level: str
    epci: NotRequired[str]
    department: NotRequired[str]
    region: NotRequired[str]


class Point(TypedDict):
    lat: float
    lon: float


class DocumentDeadline(TypedDict):
    """`until` is the first moment (UTC) at which it is too late; `precision` is `day` where the
    source gave no hour (shown "heure à vérifier")."""

    until: str
    kind: str
    zone: str
    precision: str


class Content(TypedDict):
    """What a record says, enriched.

    `place` are the record's own codes, `within` those with every level above (what it lies in),
    `covers` the own codes and the eligible area (what it applies to). `cpv_within` are the CPV
    codes with every level above, `cpv_labels` their words. `amount` is the main sum in euros.
    """

    kind: str
    subtype: str
    title: str
    language: str
    visibility: str
    institutions: list[InstitutionRef]
    owner_kind: str
    place: list[str]
    within: list[str]
    covers: list[str]
    territory: Territory
    place_names: list[str]
    themes: list[str]
    description: NotRequired[str]
    owner_siren: NotRequired[str]
    owner_id: NotRequired[str]
    url: NotRequired[str]
    references: NotRequired[list[str]]
    audience: NotRequired[list[str]]
    location: NotRequired[Point]
    cpv: NotRequired[list[str]]
    cpv_within: NotRequired[list[str]]
    cpv_labels: NotRequired[list[str]]
    naf: NotRequired[list[str]]
    zones: NotRequired[list[str]]
    nature: NotRequired[str]
    procedure: NotRequired[str]
    techniques: NotRequired[list[str]]
    access: NotRequired[list[str]]
    stage: NotRequired[str]
    amount: NotRequired[float]
    amounts: NotRequired[list[dict[str, object]]]
    deadline: NotRequired[DocumentDeadline]
    deadlines: NotRequired[list[dict[str, object]]]
    window: NotRequired[dict[str, str]]
    recurrence: NotRequired[str]
    notified: NotRequired[str]
    duration_months: NotRequired[int]
    end_min: NotRequired[str]
    end_max: NotRequired[str]
    lots: NotRequired[list[dict[str, object]]]
    holders: NotRequired[list[dict[str, object]]]
    financing: NotRequired[list[dict[str, object]]]
    actions: NotRequired[list[dict[str, object]]]
    contact: NotRequired[dict[str, object]]
    on_behalf: NotRequired[str]
    joint: NotRequired[dict[str, object]]
    licence: NotRequired[str]
    expires: NotRequired[str]
    flags: NotRequired[list[str]]


class Document(Content):
    """A whole opportunity: content, life, times, sources and links.

    `links` are other opportunities that have to do with this one (`type`, `id`, `score`, `reason`
    in French). Of one that people spoke of, `said` has the last word of each side (`source` and
    `subject` that it was said under, `word`, `version`); its `state` is then perhaps `dismissed`,
    or `asserted` (one side says that both are the same), which only the sides are shown. Of an
    opportunity of several records, `provenance` says by field which source it comes from, with the
    other sources' claims, and `merged` why each record is in it.
    """

    id: str
    stub: bool
    state: Literal["active", "closed"]
    published_at: str
    updated_at: str
    sources: list[SourceRef]
    links: list[dict[str, object]]
    outcome: NotRequired[str]
    closed_on: NotRequired[str]
    provenance: NotRequired[dict[str, object]]
    merged: NotRequired[list[dict[str, object]]]


class Stub(TypedDict):
    """What remains of a withdrawn, moved or merged opportunity: an id that searches exclude.

    `merged_into` is the id that it leads to now; only in the index of those who may read that one.

    Never a delete: Elasticsearch forgets the version of a delete after a minute, and a late
    older version would come back (decision 4).
    """

    id: str
    stub: bool
    merged_into: NotRequired[str]


PUBLIC_INDEX: Final = Visibility.PUBLIC.value
INDICES: Final = tuple(each.value for each in Visibility)


def index_of(visibility: str) -> str:
    """Which index holds a document: each audience has its own (decision 9)."""
    return Visibility(visibility).value


class OpportunityMessage(TypedDict):
    """A message of `traverse.opportunities`: the document, or a stub, and where it is known.

    `stubs` names the other indices in which only a stub may remain.
    """

    id: str
    index: str
    stubs: list[str]
    document: Document | Stub
