"""The tables of a demonstration, in French."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich import box
from rich.table import Table

from traverse_infra.demo.accounts import Refusal
from traverse_infra.demo.people import Person
from traverse_infra.demo.tally import Fate, SourceSum
from traverse_schemas.french.numbers import euros
from traverse_search_api.accounts.account import ROLE_LABELS

_SHOWN_DROPPED = 12


def sums_table(sums: Mapping[str, SourceSum], names: Mapping[str, str]) -> Table:
    """One line a source: events, what became of its records, and the total.

    `names` gives the institution's name by SIREN, where it is known.
    """
    table = Table(
        title="Ce qui a été publié, et ce que c'est devenu",
        caption="Publics : cherchables par tous. Réservés : dans l'index de ceux qui y ont droit.",
        title_justify="left",
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        padding=0,
        pad_edge=False,
    )
    table.add_column("Source", overflow="fold", min_width=14)
    for name in ("Publiés", "Refusés", "Dossiers", "Publics", "Réservés", "Retirés", "Perdus"):
        table.add_column(name, justify="right", no_wrap=True)
    labels = _labels(sums, names)
    rows = [(labels[source], _numbers(one)) for source, one in sums.items()]
    for label, numbers in rows:
        table.add_row(label, *map(str, numbers))
    table.add_section()
    totals = [sum(column) for column in zip(*(numbers for _, numbers in rows), strict=True)]
    table.add_row("Total", *map(str, totals), style="bold")
    return table


def _labels(sources: Iterable[str], names: Mapping[str, str]) -> dict[str, str]:
    """Each source by its institution's name and its system; the name says nothing where one
    institution relays them all."""
    known = {source: source.removeprefix("urn:siren:").partition(":") for source in sources}
    alone = len({siren for siren, _, _ in known.values()}) == 1
    labels = {}
    for source, (siren, _, system) in known.items():
        name = names.get(siren, siren)
        labels[source] = name if not system else system if alone else f"{name} ({system})"
    return labels


def refusals_table(counts: Counter[str], refused: Sequence[Refusal]) -> Table:
    """One line a reason, with one of its sentences."""
    table = Table(
        title="Ce qui a été refusé, et pourquoi",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    table.add_column("Motif")
    table.add_column("Nombre", justify="right")
    table.add_column("Par exemple", overflow="fold")
    examples = {one.reason: one.sentence for one in reversed(refused)}
    for reason, count in counts.most_common():
        table.add_row(reason, str(count), examples[reason])
    return table


def dropped_lines(sentences: Counter[str]) -> Iterator[str]:
    """The rows that the importers left out, the most frequent reasons first."""
    if not sentences:
        return
    yield f"Lignes écartées à la lecture des fichiers : {sentences.total()}"
    for sentence, count in sentences.most_common(_SHOWN_DROPPED):
        yield f"  {count} × {sentence}"


def grouping_lines(grouping: Mapping[str, Any]) -> Iterator[str]:
    """A proposed joint purchase as staff would read it: who, why, how much, until when."""
    yield f"{grouping['status_label']} : {grouping['reason']}."
    for member in grouping["members"]:
        amount = f", {euros(member['amount'])}" if "amount" in member else ""
        guess = ", fin de contrat, besoin non confirmé" if member.get("guess") else ""
        yield f"  {member['owner']} : {member['title']}{amount}{guess}"
    if "total" in grouping:
        threshold = grouping.get("threshold")
        crosses = f" ; ensemble, {threshold['label']} ({threshold['source']})" if threshold else ""
        yield f"  En tout {euros(grouping['total'])}{crosses}"
    coordinator = grouping["coordinator"]
    yield f"  Coordonnateur pressenti : {coordinator['owner']} ({coordinator['reason']})"
    if grouping["days_left"] is not None:
        yield f"  Il reste {grouping['days_left']} jours."


def answered_lines(item: Mapping[str, Any]) -> Iterator[str]:
    """A need with what may answer it."""
    yield f"{item['kind_label']} : {item['title']} ({item['institutions'][0]['name']})"
    for link in item["links"]:
        if link["type"] == "answers" and link.get("role") == "need":
            yield f"  Peut répondre : {link['title']} ({link['owner']}) — {link['reason']}"


def _numbers(one: SourceSum) -> tuple[int, ...]:
    searchable = one.count(Fate.SEARCHABLE)
    reserved = one.count(Fate.RESERVED)
    withdrawn = one.count(Fate.WITHDRAWN)
    records = searchable + reserved + withdrawn
    return (one.events, one.rejected, records, searchable, reserved, withdrawn, one.lost)


def people_lines(
    people: Iterable[Person], password: str, names: Mapping[str, str]
) -> Iterator[str]:
    """Who may sign in, for whom (`names` by SIREN), and with what."""
    yield (
        "Pour signaler un besoin, mutualiser ou être alerté, « Se connecter » avec une de ces "
        f"adresses ; le mot de passe de toutes : {password}"
    )
    for one in people:
        yield f"  {one.email} : {names[one.siren]}, rôle {ROLE_LABELS[one.role]}"
