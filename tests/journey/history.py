"""Thousands of mixed events from one seed: all kinds and actions, repeated, out of order, wrong;
one thing told by several sources, lots of one procedure, and what people say of them."""

from random import Random
from typing import Any

import orjson

from tests.journey.harness import Sent, sent
from traverse_schemas.topics import PARTITIONS

_SOURCES = ("urn:siren:181300013", "urn:siren:211300405", "urn:siren:200054807:metropole")
_PLACES = ("com:13040", "com:13055", "com:13001", "dep:13", "epci:200054807", "reg:93", "fr")
_WORDS = ("voirie", "école", "gymnase", "éclairage", "réseau", "toiture", "logiciel", "étude")
_VISIBILITIES = (None, None, None, "public", "buyers", "members")
_THINGS = 60
_DECIDED = ("same_as", "not_same", "not_same", "withdrawn")
_OUTCOMES = {"call": "awarded", "project": "completed", "need": "met"}


class Mixed:
    """`messages` in the order in which they are sent, and how many are bad for themselves."""

    def __init__(self, seed: int, size: int) -> None:
        self._random = Random(seed)  # noqa: S311 -- a history that can be told again, not a secret
        self.bad = 0
        self.messages: list[Sent] = []
        number = 0
        self._told: dict[int, list[dict[str, str]]] = {}
        while len(self.messages) < size:
            number += 1
            self.messages += self._record(number)
        for thing, told in self._told.items():
            self.messages += self._decisions(thing, told)
        self._random.shuffle(self.messages)

    def _record(self, number: int) -> list[Sent]:
        """The events of one record, some of them wrong, repeated or with a number used before."""
        random = self._random
        kind = random.choice(("call", "call", "project", "need"))
        base = {
            "specversion": "1.0",
            "source": random.choice(_SOURCES),
            "subject": f"R-{number}",
            "datacontenttype": "application/json",
        }
        found: list[Sent] = []
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
            if random.random() < 0.3:
                whole["sequence"] = random.randint(1, 3)
            found.append(self._put(whole))
            if random.random() < 0.15:
                found.append(self._put(whole))
            if random.random() < 0.06:
                found.append(self._wrong(dict(whole), step))
        return found

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
            return {"outcome": _OUTCOMES[kind], "on": "2026-10-10"}
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
        if kind == "need":
            data["window"] = {"from": "2027-01-01"}
        if (visibility := random.choice(_VISIBILITIES)) is not None:
            data["visibility"] = visibility
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
