"""The search page as data for its template: every word and every link of it. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from markupsafe import Markup

from traverse_schemas.french.numbers import euros, number
from traverse_schemas.reference.territories import Territories
from traverse_search_api import labels
from traverse_search_api.pages import words
from traverse_search_api.pages.address import (
    Given,
    given,
    instead,
    page_address,
    with_value,
    without,
)
from traverse_search_api.pages.front_view import everything, is_whole, present
from traverse_search_api.parameters import Facet, SearchParameters, Sort

_FACETS: Final[dict[Facet, str]] = {
    Facet.KIND: "Nature",
    Facet.STATUS: "Statut",
    Facet.THEME: "Thème",
    Facet.TERRITORY: "Département",
    Facet.SUBTYPE: "Type",
    Facet.INSTITUTION_KIND: "Institution",
    Facet.CPV: "Achat (CPV)",
}
_SHOWN: Final = 8
"""Choices of a facet that are shown at once; the others open on demand."""

_SORTS: Final[dict[Sort, str]] = {
    Sort.RELEVANCE: "pertinence",
    Sort.PUBLISHED: "publication récente",
    Sort.DEADLINE: "échéance proche",
    Sort.AMOUNT: "montant",
}
_PLAIN: Final[dict[str, str]] = {
    "institution": "Institution : {}",
    "deadline_from": "Échéance à partir du {}",
    "deadline_to": "Échéance jusqu’au {}",
    "published_from": "Publié à partir du {}",
    "published_to": "Publié jusqu’au {}",
    "amount_min": "Au moins {}",
    "amount_max": "Au plus {}",
    "near": "Autour de {}",
    "as_of": "Vu du {}",
    "literal": "« {} » au mot",
}

_PARTS: Final[dict[str, tuple[str, ...]]] = {
    "deadline": ("deadline_from", "deadline_to"),
    "published": ("published_from", "published_to"),
    "amount": ("amount_min", "amount_max"),
    "near": ("near", "radius"),
    "territory": ("territory", "reach"),
}
"""The parameters of a filter that has several."""


@dataclass(frozen=True, slots=True)
class Link:
    """A text that leads somewhere."""

    label: str
    address: str
    chosen: bool = False
    count: str = ""


@dataclass(frozen=True, slots=True)
class FacetView:
    """A facet: its choices to see at once, and the rest."""

    title: str
    first: list[Link]
    rest: list[Link]


@dataclass(frozen=True, slots=True)
class ResultView:
    """One result of the list."""

    address: str
    title: Markup
    kind: str
    status: str
    status_code: str
    owner: str
    relayed_by: str
    place: str
    deadline: str
    amount: str
    summary: Markup
    left_out: list[str]
    themes: list[str]
    sources: int


@dataclass(frozen=True, slots=True)
class SearchView:
    """The whole page. `whole` says that nothing was asked, so that all there is is shown, and
    `present` what of it is open now; `about` is the text that the results are
    for; `hidden` are the filters that the form carries along unseen."""

    query: str
    heading: str
    about: str
    whole: bool
    present: list[tuple[str, str]]
    notices: list[tuple[str, list[Link]]]
    chips: list[Link]
    everything: str
    facets: list[FacetView]
    sorts: list[Link]
    results: list[ResultView]
    following: str
    hidden: list[tuple[str, str]]
    asked: str


def search_view(
    parameters: SearchParameters,
    answer: Mapping[str, Any],
    as_of: datetime,
    territories: Territories,
) -> SearchView:
    """The page for the contract's answer to these parameters."""
    asked = given(parameters)
    found = answer["total"]
    whole = is_whole(asked)
    told = everything if whole else words.total
    following = answer["next"]
    return SearchView(
        query=parameters.q,
        heading=told(found["value"], found["exact"]),
        about=answer["correction"] if answer["correction"] and answer["items"] else parameters.q,
        whole=whole,
        present=present(asked, answer["facets"].get(Facet.STATUS.value, [])) if whole else [],
        notices=_notices(parameters.q, answer, asked),
        chips=[*_understood(answer, asked), *_chips(asked, territories)],
        everything=page_address({"q": asked["q"]} if "q" in asked else {}),
        facets=_facets(asked, answer["facets"]),
        sorts=[
            Link(label, page_address(instead(asked, "sort", sort.value)), parameters.sort is sort)
            for sort, label in _SORTS.items()
        ],
        results=[_result(item, as_of, asked) for item in answer["items"]],
        following=page_address({**asked, "cursor": [following]}) if following else "",
        hidden=[(name, text) for name, texts in asked.items() if name != "q" for text in texts],
        asked=page_address(asked, "").removeprefix("?"),
    )


def _notices(query: str, answer: Mapping[str, Any], asked: Given) -> list[tuple[str, list[Link]]]:
    """What the search did that was not asked, each with the way to insist; what has to be chosen,
    and what would bring results back."""
    insist = Link(
        f"Chercher « {query} » tel quel", page_address(instead(asked, "as_typed", "true"))
    )
    found: list[tuple[str, list[Link]]] = []
    if answer["correction"]:
        what = "Résultats" if answer["items"] else "Aucun résultat ici, même"
        found.append((f"{what} pour « {answer['correction']} ».", [insist]))
    if answer["relaxed"]:
        found.append((str(answer["relaxed"]["sentence"]), [insist]))
    to_choose = [one for one in answer["understood"] if one["choices"]]
    found += [
        (f"« {one['text']} » peut être plusieurs territoires :", _choices(one, query, asked))
        for one in to_choose
    ]
    # Until one is chosen, why nothing is found is not known.
    if answer["diagnosis"] and not to_choose:
        sentence = str(answer["diagnosis"]["sentence"])
        found.append((sentence, _ways_back(answer["diagnosis"], asked)))
    return found


def _choices(understood: Mapping[str, Any], query: str, asked: Given) -> list[Link]:
    """Each territory that words may mean, as a filter in their place."""
    left = " ".join(re.sub(rf"(?<!\S){re.escape(understood['text'])}(?!\S)", " ", query).split())
    rest = instead(asked, "q", left) if left else without(asked, "q")
    return [
        Link(choice["label"], page_address(with_value(rest, "territory", choice["code"])))
        for choice in understood["choices"]
    ]


def _ways_back(diagnosis: Mapping[str, Any], asked: Given) -> list[Link]:
    """The search without each filter that is to blame; without any, where none is alone; each word
    by itself, where all of them together are."""
    ways = [_way_back(one, asked) for one in diagnosis["without"]]
    if not ways and diagnosis["without_filters"] and "q" in asked:
        everything = page_address({"q": asked["q"]})
        ways = [Link("Sans aucun filtre", everything)]
    if not ways and len(diagnosis["words"]) > 1:
        ways = [
            Link(
                f"« {one['word']} » seul",
                page_address(instead(asked, "q", one["word"])),
                count=number(one["count"]),
            )
            for one in diagnosis["words"]
            if one["count"]
        ]
    return ways


def _way_back(one: Mapping[str, Any], asked: Given) -> Link:
    label, count = str(one["label"]), number(one["count"])
    if one["parameter"] == "q":
        address = page_address(instead(asked, "q", one["value"]))
        return Link(label[:1].upper() + label[1:], address, count=count)
    return Link(
        f"Sans « {label} »", page_address(_unfiltered(asked, one["parameter"])), count=count
    )


def _unfiltered(asked: Given, parameter: str) -> Given:
    """What is asked without a filter, by the name that the answer gives it (`active_filters`)."""
    gone = _PARTS.get(parameter, (parameter,))
    return {name: texts for name, texts in asked.items() if name not in gone}


def _understood(answer: Mapping[str, Any], asked: Given) -> list[Link]:
    """What was understood in the words, as filters that can be taken back."""
    return [
        Link(
            f"« {one['text']} » compris : {one['label']}",
            page_address(with_value(asked, "literal", one["text"])),
        )
        for one in answer["understood"]
    ]


def _chips(asked: Given, territories: Territories) -> list[Link]:
    """The filters at work, each with the address of the page without it."""
    return [
        Link(_filter_label(name, text, territories), page_address(_dropped(asked, name, text)))
        for name, texts in asked.items()
        if name not in ("q", "sort", "radius", "reach", "explain")
        for text in texts
    ]


def _dropped(asked: Given, name: str, text: str) -> Given:
    left = without(asked, name, text)
    # What says how far, or how, means nothing without its place.
    if name == "near":
        left = without(left, "radius")
    if name == "territory" and "territory" not in left:
        left = without(left, "reach")
    return left


def _filter_label(name: str, text: str, territories: Territories) -> str:
    match name:
        case "kind":
            return labels.kind_label(text)
        case "status":
            return labels.status_label(text)
        case "theme":
            return labels.theme_label(text)
        case "subtype":
            return labels.subtype_label(text)
        case "institution_kind":
            return labels.institution_kind_label(text)
        case "cpv":
            return labels.cpv_label(text)
        case "territory":
            return labels.territory_label(text, territories)
        case "as_typed":
            return "Texte tel quel"
        case "literal":
            return _PLAIN[name].format(text)
        case "amount_min" | "amount_max":
            return _PLAIN[name].format(euros(float(text)))
    return _PLAIN.get(name, f"{name} : {{}}").format(words.day_of(text))


def _facets(asked: Given, facets: Mapping[str, list[dict[str, Any]]]) -> list[FacetView]:
    found = []
    for facet, title in _FACETS.items():
        choices = [_choice(asked, facet.value, each) for each in facets.get(facet.value, [])]
        if len(choices) > 1 or any(choice.chosen for choice in choices):
            chosen = [choice for choice in choices if choice.chosen]
            others = [choice for choice in choices if not choice.chosen]
            room = max(0, _SHOWN - len(chosen))
            found.append(FacetView(title, chosen + others[:room], others[room:]))
    return found


def _choice(asked: Given, name: str, value: Mapping[str, Any]) -> Link:
    text = str(value["value"])
    chosen = text in asked.get(name, [])
    target = without(asked, name, text) if chosen else with_value(asked, name, text)
    return Link(value["label"], page_address(target), chosen, number(value["count"]))


def _result(item: Mapping[str, Any], as_of: datetime, asked: Given) -> ResultView:
    highlights = item["highlights"]
    owners = [one["name"] for one in item["institutions"] if one["role"] == "owner"]
    others = [one["name"] for one in item["institutions"] if one["role"] != "owner"]
    moment = {"as_of": asked["as_of"]} if "as_of" in asked else {}
    return ResultView(
        address=page_address(moment, f"/fiche/{item['id']}"),
        title=_marked(highlights.get("title"), item["title"]),
        kind=item["kind_label"],
        status=item["status_label"],
        status_code=item["status"],
        owner=", ".join(owners),
        relayed_by=", ".join(others),
        place=(item["territory"] or {}).get("name", ""),
        deadline=words.deadline(item["deadline"], as_of) if item["deadline"] else "",
        amount=euros(item["amount"]) if item["amount"] else "",
        summary=_marked(highlights.get("description"), item["summary"]),
        left_out=item.get("left_out", []),
        themes=item["theme_labels"],
        sources=len(item["sources"]),
    )


def _marked(pieces: list[str] | None, plain: str) -> Markup:
    """The words found, between <mark>. Elasticsearch has escaped all the rest; a plain text is
    escaped here."""
    if pieces:
        return Markup(" … ").join(Markup(piece) for piece in pieces)  # noqa: S704 -- escaped there
    return Markup.escape(plain)
