"""Search over a million documents: all facets, so many searches a second, beside Elasticsearch's
own `took` and the service's own share; suggestions; and the search page, which people see.

The documents are generated from those of the load: each says what one of them says, with sentences
of another, in the places of a third, so that lengths and words are the real ones. Searches are due
at an even pace, whatever became of the others: who answers late makes the next ones late too, as
for people.
"""

import asyncio
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final

import httpx
import orjson
import psutil
from elasticsearch.helpers import streaming_bulk

from traverse_infra.bench.figures import percentile, schedule
from traverse_infra.bench.home import Home, bench_home
from traverse_infra.bench.load import Load
from traverse_infra.bench.machine import machine, memory, processor_seconds
from traverse_infra.bench.searches import SearchFailedError, timing_of
from traverse_infra.bench.throughput import difference, engines_of
from traverse_infra.engines.waiting import wait_until
from traverse_infra.settings import Settings
from traverse_infra.training import states_of_events
from traverse_schemas.documents.index_mapping import PUBLIC_ALIAS
from traverse_schemas.documents.indexed import indexed
from traverse_schemas.log.identity import opportunity_id, utc_text
from traverse_stream_processors.linking.link import form

Say = Callable[[str], None]
Document = dict[str, Any]

_SEED: Final = 7
_COMPILED: Final = 8000
"""Searches that are answered one after the other before any is measured: an engine that was just
started compiles what it runs, on a slow machine for 20 ms of processor of each of the first 2,000,
and what it runs gets faster until some 8,000 (45 ms a search after 4,000, 29 after 9,000). It then
runs for months; the first minutes are told in docs/performance.md."""
_WARM: Final = 10.0  # seconds at the pace, not counted
_PACE: Final = 20.0  # searches a second
_FACETS: Final = "kind,subtype,status,theme,institution_kind,territory,cpv"
_PLACE: Final = ("place", "within", "covers", "territory", "location", "place_names")
_OWNER: Final = ("institutions", "owner_siren", "owner_id", "owner_kind")
_FILTERS: Final[tuple[dict[str, str], ...]] = (
    {}, {}, {}, {"status": "open"}, {"territory": "dep:13"}, {"territory": "reg:93"},
    {"kind": "call"}, {"theme": "energie"}, {"sort": "published"}, {"amount_min": "50000"},
)  # fmt: skip
_BULK: Final = 1000
_MAP: Final = re.compile(rb'<section id="carte".*?</section>', re.DOTALL)
_ANSWERED: Final = frozenset({200, 503})  # what an overloaded service refuses is counted
_QUIET: Final = 900.0  # seconds that merging may take


def measure_search(
    documents: int, seconds: float, load: Load, settings: Settings, say: Say
) -> dict[str, Any]:
    """The figures of so many documents, 20 searches a second. Raises InfraError."""
    pace = _PACE
    base = real_documents(load)
    say(f"{documents} documents, de {len(base)} réels…")
    with bench_home(settings, load, say) as home:
        begun = time.monotonic()
        _fill(home, generated(base, documents, datetime.fromisoformat(load.as_of)))
        filled = time.monotonic() - begun
        say(f"Écrits en {filled:.0f} s ; attente de la fin des fusions…")
        if not wait_until(home.quiet, timeout=_QUIET):
            say("Les fusions durent encore : la mesure commence sans les attendre.")
        address = f"http://127.0.0.1:{home.search_port}"
        # Everybody who searches here comes from one address.
        unbounded = {
            "TRAVERSE_ADDRESS_RATE": str(10**9),
            "TRAVERSE_SEARCH_CONNECTIONS": str(10**6),
            "TRAVERSE_SEARCH_CONNECTIONS_PER_ADDRESS": str(10**6),
        }
        with home.services(unbounded) as services:
            services.start("search", "serve", "search")
            services.await_answer(f"{address}/readyz", 60)
            say(f"{pace:g} recherches/s pendant {seconds:.0f} s…")
            service = {"search": psutil.Process(services.pid("search"))}
            found = asyncio.run(
                _measured(address, base, pace, seconds, {**engines_of(home), **service})
            )
            taken = memory(service)["search"]
        return {
            "machine": machine(home.settings, home.client.info()["version"]["number"]),
            "documents": home.client.count(index=PUBLIC_ALIAS)["count"],
            "segments": _segments(home),
            "fill_seconds": round(filled),
            "octets": _octets(home),
            "pace_per_s": pace,
            **found,
            "memory": {"search": taken},
        }


def real_documents(load: Load) -> list[Document]:
    """The public documents that the events of a load come to."""
    found = []
    for state in states_of_events(orjson.dumps(event) for event in load.events):
        message = form(state)
        if message is not None and message["index"] == "public" and not message["stubs"]:
            document = dict(message["document"])
            if not document["stub"]:
                found.append(document)
    return found


def generated(base: Sequence[Document], count: int, present: datetime) -> Iterator[Document]:
    """So many documents, the same each time."""
    random = Random(_SEED)  # noqa: S311 -- to be the same each time, not secret
    sentences = [_sentences(one.get("description", "")) for one in base]
    present = present if present.tzinfo else present.replace(tzinfo=UTC)
    for number in range(count):
        at, other = random.randrange(len(base)), random.randrange(len(base))
        place, owner = base[random.randrange(len(base))], base[random.randrange(len(base))]
        made = dict(base[at])
        for source, names in ((place, _PLACE), (owner, _OWNER)):
            for name in names:
                made.pop(name, None)
                if name in source:
                    made[name] = source[name]
        if sentences[at]:
            # As long as the one it stands for.
            mixed = [*sentences[at][::2], *sentences[other]][: len(sentences[at])]
            made["description"] = " ".join(mixed)
        if "amount" in made:
            made["amount"] = round(made["amount"] * random.uniform(0.3, 3), 2)
        published = utc_text(present - timedelta(days=random.expovariate(1 / 700)))
        subject = f"bench-{number}"
        made |= {
            "id": opportunity_id("urn:siren:130025265:bench", subject),
            "references": [subject],
            "published_at": published,
            "updated_at": published,
            "sources": [
                {"source": f"urn:siren:130025265:b{number % 40}", "subject": subject,
                 "updated_at": published}
            ],
        }  # fmt: skip
        if random.random() < 0.1:  # one in ten is open
            until = utc_text(present + timedelta(days=random.uniform(1, 60)))
            made["deadline"] = _deadline(until)
            made["state"] = "active"
            made.pop("outcome", None)
        yield made


def _deadline(until: str) -> dict[str, str]:
    return {"until": until, "kind": "tender", "zone": "Europe/Paris", "precision": "minute"}


def searches(base: Sequence[Document], count: int) -> list[dict[str, str]]:
    """So many searches: one to three words of a title, now and then a filter."""
    random = Random(_SEED + 1)  # noqa: S311 -- to be the same each time, not secret
    found = []
    for _ in range(count):
        words = [
            word.strip("(),.;:")
            for word in str(base[random.randrange(len(base))]["title"]).split()
            if len(word) > 3
        ]
        start = random.randrange(max(1, len(words) - 2))
        text = " ".join(words[start : start + random.randint(1, 3)])
        found.append({"q": text, "facets": _FACETS, **random.choice(_FILTERS)})
    return found


def _sentences(text: str) -> list[str]:
    return [part for part in text.replace("\n", ". ").split(". ") if part.strip()]


def _fill(home: Home, documents: Iterable[Document]) -> None:
    home.client.indices.put_settings(index=PUBLIC_ALIAS, settings={"refresh_interval": "5s"})
    actions = (
        {"_index": PUBLIC_ALIAS, "_id": one["id"], "_source": indexed(one), "require_alias": True}
        for one in documents
    )
    # A small heap is full now and then: what is refused is sent again.
    for _ in streaming_bulk(
        home.client, actions, chunk_size=_BULK, max_retries=8, initial_backoff=0.5
    ):
        pass
    home.client.indices.put_settings(index=PUBLIC_ALIAS, settings={"refresh_interval": "500ms"})
    home.client.indices.refresh(index=PUBLIC_ALIAS)


def _octets(home: Home) -> int:
    stats = home.client.indices.stats(index=PUBLIC_ALIAS, metric="store")
    return int(stats["_all"]["total"]["store"]["size_in_bytes"])


def _segments(home: Home) -> int:
    """How many parts of the index each search looks at."""
    shards = home.client.indices.segments(index=PUBLIC_ALIAS)["indices"].values()
    return sum(
        bool(part["search"])
        for index in shards
        for copies in index["shards"].values()
        for copy in copies
        for part in copy["segments"].values()
    )


async def _measured(
    address: str,
    base: Sequence[Document],
    pace: float,
    seconds: float,
    processes: Mapping[str, psutil.Process],
) -> dict[str, Any]:
    warm = int(pace * _WARM)
    asked = searches(base, int(pace * seconds) + warm + _COMPILED)
    first, asked = asked[-_COMPILED:], asked[:-_COMPILED]
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=address, timeout=60, limits=limits) as client:
        begun_at = time.perf_counter()
        for parameters in first:
            await client.get("/v1/opportunities", params=parameters)
        compiled = time.perf_counter() - begun_at
        await _paced(client, "/v1/opportunities", asked[:warm], pace)
        before = processor_seconds(processes)
        answers = await _paced(client, "/v1/opportunities", asked[warm:], pace)
        used = difference(processor_seconds(processes), before)
        begun = [{"q": one["q"][: 2 + number % 6]} for number, one in enumerate(asked)]
        await _paced(client, "/v1/suggest", begun[:warm], pace)
        suggested = await _paced(client, "/v1/suggest", begun[warm:], pace)
        typed = [{name: text for name, text in one.items() if name != "facets"} for one in asked]
        await _paced(client, "/", typed[:warm], pace)
        pages = await _paced(client, "/", typed[warm:], pace)
    late = [answer.late for answer in answers]
    refused = sum(not answer.found for answer in answers)
    answers = [answer for answer in answers if answer.found]
    if not answers:
        raise SearchFailedError("Aucune recherche du banc d'essai n'aboutit : voyez les journaux.")
    spent = [answer.spent for answer in answers]
    times = [timing_of(answer.timing) for answer in answers]
    took = [each.engine for each in times]
    added = [each - time.engine for each, time in zip(spent, times, strict=True)]
    own = [time.own for time in times]
    http = [each - time.total for each, time in zip(spent, times, strict=True)]
    return {
        "first_searches": {"searches": len(first), "seconds": round(compiled)},
        "searches": len(late),
        "refused": refused,
        "search_ms": _spread(late),
        "took_ms": _spread(took),
        "added_ms": _spread(added),
        "own_ms": _spread(own),
        "http_ms": _spread(http),
        "processor_ms_a_search": {name: 1000 * each / len(late) for name, each in used.items()},
        "mean_hits": sum(answer.hits for answer in answers) / len(answers),
        "suggest_ms": _spread([answer.late for answer in suggested]),
        **page_figures(pages),
    }


def page_figures(pages: Sequence["Answer"]) -> dict[str, Any]:
    """How long pages took, since each was due, and their size: whole, and without the map."""
    shown = [page for page in pages if page.found]
    if not shown:
        raise SearchFailedError("Aucune page du banc d'essai n'est servie : voyez les journaux.")
    bare = [len(_MAP.sub(b"", page.content)) for page in shown]
    return {
        "page_ms": _spread([page.late for page in pages]),
        "pages_refused": len(pages) - len(shown),
        "page_octets": _spread([len(page.content) for page in shown]),
        "page_octets_without_map": _spread(bare),
    }


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: milliseconds since it was due and since it was asked, and what came."""

    late: float
    spent: float
    found: bool
    timing: str
    content: bytes

    @property
    def hits(self) -> int:
        """How many results a search had."""
        return int(orjson.loads(self.content).get("total", {}).get("value", 0))


async def _paced(
    client: httpx.AsyncClient, path: str, asked: Sequence[dict[str, str]], pace: float
) -> list[Answer]:
    begin = time.perf_counter()

    async def one(due: float, parameters: dict[str, str]) -> Answer:
        await asyncio.sleep(max(0.0, begin + due - time.perf_counter()))
        start = time.perf_counter()
        answer = await client.get(path, params=parameters)
        end = time.perf_counter()
        if answer.status_code not in _ANSWERED:
            raise SearchFailedError(
                f"La recherche {parameters} du banc d'essai échoue : {answer.text[:200]}"
            )
        return Answer(
            late=(end - begin - due) * 1000,
            spent=(end - start) * 1000,
            found=answer.is_success,
            timing=answer.headers.get("server-timing", ""),
            content=answer.content,
        )

    due = schedule(pace, len(asked) / pace + 1)[: len(asked)]
    return await asyncio.gather(*(one(*each) for each in zip(due, asked, strict=True)))


def _spread(milliseconds: Sequence[float]) -> dict[str, float]:
    return {
        **{f"p{share}": percentile(milliseconds, share / 100) for share in (50, 95, 99)},
        "max": max(milliseconds),
    }
