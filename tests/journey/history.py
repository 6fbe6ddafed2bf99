"""Thousands of mixed events from one seed: all kinds and actions, repeated, out of order, wrong;
one thing told by several sources, lots of one procedure, and what people say of them."""

from random import Random
from typing import Any

import orjson

from tests.journey.harness import Sent, sent
from traverse_schemas.decisions import GroupingStep, Word
from traverse_schemas.documents.grouping import grouping_id
from traverse_schemas.log.identity import opportunity_id
from traverse_schemas.log.topics import PARTITIONS

_SOURCES = ("urn:siren:181300013", "urn:siren:211300405", "urn:siren:200054807:metropole")
_PLACES = ("com:13040", "com:13055", "com:13001", "dep:13", "epci:200054807", "reg:93", "fr")
_WORDS = ("voirie", "école", "gymnase", "éclairage", "réseau", "toiture", "logiciel", "étude")
_VISIBILITIES = (None, None, None, None, "public", "buyers", "members", "restricted")
_THINGS = 60
_DECIDED = ("same_as", "not_same", "not_same", "withdrawn")
_PROPOSED = (str(Word.CONFIRMED), str(Word.DISMISSED), str(Word.WITHDRAWN))
_REASONS = ("correction", "extension", "amendment")
_LAYERS = ("public", "members", "buyers")
_OUTCOMES = {"call": "awarded", "project": "completed", "need": "met"}


ERASED = "E-"
"""How the subjects begin of records that are erased: what remains of these on the log, and whether
a stub of them does, depends on what was written before they were."""

Ref = dict[str, str]
"""A record as decisions name it: its source and subject."""


class Mixed:
    """`messages` in the order in which they are sent, how many are bad for themselves, and the ids
    of the records that are `erased`, where some are."""

    def __init__(self, seed: int, size: int, *, erasing: bool = False) -> None:
        self._random = Random(seed)  # noqa: S311 -- a history that can be told again, not a secret
        self.bad = 0
        self._erasing = erasing
        self.erased: set[str] = set()
        self.messages: list[Sent] = []
        self._needs: list[Ref] = []
        self._calls: list[Ref] = []
        number = 0
        self._told: dict[int, list[dict[str, str]]] = {}
        while len(self.messages) < size:
            number += 1
            self.messages += self._record(number)
        for thing, told in self._told.items():
            self.messages += self._decisions(thing, told)
        self.messages += self._proposals(size // 20) + self._steps(size // 20)
        self._random.shuffle(self.messages)

    def _record(self, number: int) -> list[Sent]:
        """The events of one record, some of them wrong, repeated or with a number used before."""
        random = self._random
        kind = random.choice(("call", "call", "project", "need"))
        erased = self._erasing and random.random() < 0.04
        base = {
            "specversion": "1.0",
            "source": random.choice(_SOURCES),
            "subject": f"{ERASED if erased else 'R-'}{number}",
            "datacontenttype": "application/json",
        }
        found: list[Sent] = []
        spoken_of = {"need": self._needs, "call": self._calls}.get(kind, [])
        spoken_of.append({"source": base["source"], "subject": base["subject"]})
        thing = random.randint(1, _THINGS) if kind == "call" and random.random() < 0.3 else 0
        if thing:
            told = self._told.setdefault(thing, [])
            told.append({"source": base["source"], "subject": base["subject"]})
        for step in range(random.randint(1, 7)):
            action = "published" if step == 0 else random.choice(
                ("published", "updated", "updated", "closed", "withdrawn")
            )  # fmt: skip
            whole: dict[str, Any] = {
                **base,
                "id": f"{number}-{step}",
                "type": f"fr.traverse.{kind}.{action}.v1",
                # Times of one record clash, so that sequence and id decide as well.
                "time": f"2026-10-{random.randint(1, 9):02}T10:00:00Z",
                "data": self._data(kind, action, thing),
            }
            if random.random() < 0.3 and not erased:
                whole["sequence"] = random.randint(1, 3)
            found.append(self._put(whole))
            if random.random() < 0.15:
                found.append(self._put(whole))
            if random.random() < 0.06:
                found.append(self._wrong(dict(whole), step))
        if erased:
            self.erased.add(opportunity_id(base["source"], base["subject"]))
            found.append(self._erasure(kind, base))
        return found

    def _erasure(self, kind: str, base: dict[str, str]) -> Sent:
        return self._put(
            {
                **base,
                "id": f"{base['subject']}-erased",
                "type": f"fr.traverse.{kind}.withdrawn.v1",
                "time": f"2026-10-{self._random.randint(1, 9):02}T10:00:00Z",
                "data": {"reason": "erasure"},
            }
        )

    def _proposals(self, count: int) -> list[Sent]:
        """What the sides of proposals say, and some who are no side."""
        found = []
        for step in range(count):
            need = self._random.choice(self._needs)
            other = self._random.choice([it for it in self._needs + self._calls if it != need])
            by = self._random.choice((need["source"], other["source"], *_SOURCES))
            word, data = self._random.choice(_PROPOSED), {"records": [need, other]}
            found.append(self._word(f"p-{step}", by, f"link.{word}", step % 5, data))
        return found

    def _steps(self, count: int) -> list[Sent]:
        """What owners say of their needs in groupings, and of steps that bind them."""
        found = []
        for step in range(count):
            need, named = self._random.choice(self._needs), self._random.choice(self._needs)
            anchor = opportunity_id(named["source"], named["subject"])
            grouping = grouping_id(self._random.choice(_LAYERS), anchor)
            word, data = self._random.choice(list(GroupingStep)), {"record": need}
            about = {**data, "grouping": grouping}
            found.append(self._word(f"g-{step}", need["source"], f"grouping.{word}", step, about))
        return found

    def _word(self, name: str, by: str, word: str, subject: int, data: dict[str, Any]) -> Sent:
        day = self._random.randint(1, 9)
        return self._put(
            {
                "specversion": "1.0",
                "source": by,
                "subject": f"{name[0]}-{subject}",
                "id": name,
                "type": f"fr.traverse.{word}.v1",
                "time": f"2026-10-{day:02}T11:00:00Z",
                "data": data,
            }
        )

    def _decisions(self, thing: int, told: list[dict[str, str]]) -> list[Sent]:
        """What people say of some pairs of what was told of one thing; they change their minds."""
        random = self._random
        found = []
        for step in range(random.randint(0, 4) if len(told) > 1 else 0):
            found.append(
                self._put(
                    {
                        "specversion": "1.0",
                        "source": random.choice(_SOURCES),
                        "subject": f"D-{thing}-{random.randint(1, 2)}",
                        "id": f"d-{thing}-{step}",
                        "type": f"fr.traverse.link.{random.choice(_DECIDED)}.v1",
                        "time": f"2026-10-{random.randint(1, 9):02}T11:00:00Z",
                        "data": {"records": random.sample(told, 2)},
                    }
                )
            )
        return found

    def _data(self, kind: str, action: str, thing: int) -> dict[str, Any]:
        if action == "withdrawn":
            return {"reason": "error"}
        if action == "closed":
            closed: dict[str, Any] = {"outcome": _OUTCOMES[kind], "on": "2026-10-10"}
            if thing % 5 == 0 and kind == "call":
                closed["lots"] = [{"number": "1", "outcome": "awarded"}]
            return closed
        random = self._random
        data: dict[str, Any] = {
            "title": f"{random.choice(_WORDS)} et {random.choice(_WORDS)} {random.random():.6f}",
            "place": [random.choice(_PLACES)],
            "subtype": {"call": "contract", "project": "project", "need": "purchase"}[kind],
        }
        if kind == "call":
            data |= {"url": "https://exemple.fr/a", "cpv": ["45233140"]}
            data["deadlines"] = [{"at": "2026-12-18T12:00"}]
        if thing:
            lot = f" - lot {random.randint(1, 3)}" if thing % 4 == 0 else ""
            data |= {
                "title": f"Réfection du pont numéro {thing}{lot}",
                "place": ["com:13040"],
                "owner": {"id": "211300405"},
                "deadlines": [{"at": f"2027-01-{thing % 28 + 1:02}T12:00"}],
                "references": [f"2026-PONT-{thing:03}{lot[-1:]}"],
            }
            if thing % 5 == 0:
                data["lots"] = [{"number": str(it), "title": f"Lot {it}"} for it in (1, 2)]
        if kind == "need":
            data["window"] = {"from": "2027-01-01"}
        if action == "updated" and random.random() < 0.5:
            data["reason"] = random.choice(_REASONS)
        if (visibility := random.choice(_VISIBILITIES)) is not None:
            data["visibility"] = visibility
        if visibility == "restricted":
            data["audience"] = [random.choice(_SOURCES)[10:19]]
        return data

    def _put(self, whole: dict[str, Any]) -> Sent:
        """One in fifty goes where another partitioner would put it."""
        message = sent(whole)
        if self._random.random() < 0.02:
            return sent(whole, partition=(message.partition + 1) % PARTITIONS)
        return message

    def _wrong(self, whole: dict[str, Any], step: int) -> Sent:
        self.bad += 1
        unique = f"bad-{self.bad}"
        match self._random.randint(0, 3):
            case 0:
                return sent(b"{" + unique.encode(), partition=step % PARTITIONS)
            case 1:
                return sent({**whole, "id": unique, "type": "fr.traverse.call.published.v7"})
            case 2:
                return sent({**whole, "id": unique, "source": "urn:siren:181300016"})
            case _:
                return sent({**whole, "id": unique, "time": "demain"})


def reused(number: int) -> list[Sent]:
    """An id, and the same with another content: who comes first on the log is right."""
    whole = {
        "specversion": "1.0",
        "id": f"reused-{number}",
        "source": _SOURCES[0],
        "subject": f"REUSED-{number}",
        "type": "fr.traverse.project.published.v1",
        "time": "2026-10-01T10:00:00Z",
        "data": {"title": "Premier", "place": ["fr"], "subtype": "project"},
    }
    other = orjson.loads(orjson.dumps(whole))
    other["data"]["title"] = "Second"
    return [sent(whole), sent(other)]
