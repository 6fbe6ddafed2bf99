"""Requests to addresses that others give: never to what is not public (SSRF), whatever they do.

A name is resolved once, every address that it has is judged, and the connection is made to one of
those very addresses: a name that changes its mind in between (DNS rebinding) changes nothing.
Redirects are not followed, no proxy of the environment is used, little of the answer is read.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final, NamedTuple
from urllib.parse import SplitResult, urlsplit

import httpx

from traverse_schemas.errors import TraverseError

SECONDS: Final = 10.0
"""That one request may take in all, its name's resolution included."""

_MOST_READ: Final = 16 * 1024
_CARRIERS: Final = (
    IPv6Network("64:ff9b::/96"),  # NAT64 (RFC 6052): leads to the IPv4 address at its end
    IPv6Network("64:ff9b:1::/48"),  # NAT64 of a network's own (RFC 8215)
    IPv6Network("2002::/16"),  # 6to4 (RFC 3056)
    IPv6Network("2001::/32"),  # Teredo (RFC 4380)
)

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Awaitable[list[str]]]
"""The addresses of a name, as texts. Raises OSError."""


class OutsideError(TraverseError):
    """The request was not answered; the sentence says why."""


class ForbiddenAddressError(OutsideError):
    """The address is none that may be called."""


class Told(NamedTuple):
    """What was answered: the status, the headers by lower-case names, and the octets where they
    were asked for."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""


async def resolve(host: str, port: int) -> list[str]:
    """By the machine's resolver."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


class Outside:
    """Makes requests to others' addresses. With `private`, to any, and without TLS: the operator
    answers for it."""

    def __init__(
        self, *, private: bool = False, resolve: Resolve = resolve, seconds: float = SECONDS
    ) -> None:
        self._private = private
        self._resolve = resolve
        self._seconds = seconds

    def check(self, url: str) -> SplitResult:
        """An address as people give it, looked at without asking anybody.

        Raises ForbiddenAddressError.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise ForbiddenAddressError(f"« {url[:80]} » n’est pas une adresse.") from None
        schemes = ("https", "http") if self._private else ("https",)
        if parts.scheme not in schemes or not parts.hostname or port == 0:
            raise ForbiddenAddressError(
                f"« {url[:80]} » ne peut pas être appelée : donnez une adresse en "
                f"{' ou '.join(f'{one}://' for one in schemes)}."
            )
        plain = url.isascii() and url.isprintable() and " " not in url
        if parts.username or parts.password or not plain:
            raise ForbiddenAddressError(
                "L’adresse ne peut contenir ni mot de passe, ni espace, ni lettre accentuée."
            )
        return parts

    async def ask(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        content: bytes = b"",
        *,
        most: int = 0,
    ) -> Told:
        """One request; its answer's octets only where up to `most` are asked for. Raises
        OutsideError (ForbiddenAddressError for what may not be called), also for more octets."""
        parts = self.check(url)
        try:
            async with asyncio.timeout(self._seconds):
                return await self._ask(method, parts, headers, content, most)
        except TimeoutError:
            raise OutsideError(f"{parts.hostname} ne répond pas en {self._seconds:g} s.") from None
        except (httpx.HTTPError, OSError, UnicodeError) as error:
            raise OutsideError(
                f"{parts.hostname} n’a pas répondu ({type(error).__name__})."
            ) from error

    async def _ask(
        self,
        method: str,
        parts: SplitResult,
        headers: Mapping[str, str],
        content: bytes,
        most: int,
    ) -> Told:
        host = str(parts.hostname)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        address = self._allowed(host, await self._resolve(host, port))
        shown = f"[{address}]" if address.version == 6 else str(address)
        target = f"{parts.scheme}://{shown}:{port}{parts.path or '/'}"
        if parts.query:
            target += f"?{parts.query}"
        # A connection of its own: one that is kept would be to an address judged for another name.
        async with (
            httpx.AsyncClient(
                trust_env=False, follow_redirects=False, timeout=self._seconds
            ) as client,
            client.stream(
                method,
                target,
                headers={**headers, "host": parts.netloc},
                content=content or None,
                extensions={"sni_hostname": host},  # and the certificate must be for that name
            ) as answer,
        ):
            read = bytearray()
            async for piece in answer.aiter_raw():
                read += piece
                if len(read) > max(most, _MOST_READ):
                    if most:
                        raise OutsideError(f"{host} a répondu plus de {most // 1024} Kio.")
                    break
            told = {k.lower(): v for k, v in answer.headers.items()}
            return Told(answer.status_code, told, bytes(read) if most else b"")

    def _allowed(self, host: str, found: list[str]) -> Address:
        """The address to connect to. One that is not public among them forbids the name: who has
        such a name has no good reason."""
        addresses = [ip_address(text.partition("%")[0]) for text in found]
        if not addresses:
            raise OutsideError(f"{host} n’a pas d’adresse.")
        if not self._private and not all(is_public(one) for one in addresses):
            raise ForbiddenAddressError(
                f"{host} n’est pas une adresse publique : elle ne sera pas appelée."
            )
        return addresses[0]


def is_public(address: Address) -> bool:
    """Whether an address is one of the internet's, and nothing else: not of this machine, of a
    private network, of many, nor one that carries another inside."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if any(address in carrier for carrier in _CARRIERS) or address.is_site_local:
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved)
