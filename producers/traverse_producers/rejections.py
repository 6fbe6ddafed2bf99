"""An institution's own rejected events, by the gateway: read, mended, signed and sent again.

    with Rejections("https://passerelle.example.org", api_key) as rejections:
        for one in rejections.all():
            print(one["id"], one["sentence"])
        rejections.replay("inbound-2@41", corrected, keys=KeyFolder(Path("keys")))

For who signs for itself too: what is replayed is signed here, with the institution's own key.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from traverse_producers.gateway_calls import GatewayCalls
from traverse_producers.receipts.replay import object_of, replayed
from traverse_producers.signing_keys import Keys, siren_of
from traverse_schemas.events import CONTENT_TYPE
from traverse_schemas.signing.signatures import SIGNATURE_HEADER

_PAGE = 100


class Rejections(GatewayCalls):
    """The rejections that an API key may read. Not to be shared between threads."""

    def all(self) -> Iterator[dict[str, Any]]:
        """Each with `id`, `at`, `source`, `event_id`, `reason`, `pointer` and `sentence`, the
        newest first; they are kept for 30 days."""
        asked: dict[str, str] = {"size": str(_PAGE)}
        while True:
            page = self.get("/v1/rejections", asked)
            yield from page["items"]
            if not page["next"]:
                return
            asked["before"] = page["next"]

    def one(self, name: str) -> dict[str, Any]:
        """One of them, with `event`, what was received."""
        return self.get(_path(name), {})

    def replay(
        self, name: str, correction: bytes | None = None, *, keys: Keys | None = None
    ) -> str:
        """Publish one again, as it came or as the `correction` says, signed by the key of its
        source; the id of the event that was published. Without a key it goes unsigned, and the
        gateway signs for who delegated to it. Replaying twice is replaying once.

        Raises EventRefusedError, UnusableCorrectionError, MissingKeyError, UnsafeKeyError,
        SigningKeyError.
        """
        refused = self.one(name)
        octets = replayed(str(refused["event"]).encode(), correction, refused["reason"])
        said = object_of(octets) or {}
        headers = {"content-type": CONTENT_TYPE}
        signer = keys.signer(siren_of(str(said.get("source")))) if keys else None
        if signer is not None:
            headers[SIGNATURE_HEADER] = signer.sign(octets).decode()
        answer = self.ask("POST", f"{_path(name)}/replay", content=octets, headers=headers)
        self.check(answer)
        return str(said.get("id"))


def _path(name: str) -> str:
    """Of a rejection: `inbound-2@41`, or its place as the log has it, `traverse.inbound/2@41`."""
    return f"/v1/rejections/{quote(name.removeprefix('traverse.').replace('/', '-', 1), safe='')}"
