"""SSRF: what others give as an address, and what is called of it."""

import asyncio
from ipaddress import ip_address

import pytest

from tests.search_api.alerts.receiver import receiving
from traverse_search_api.alerts.outside import ForbiddenAddressError, Outside, is_public


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "0.0.0.0", "224.0.0.1", "255.255.255.255", "240.0.0.1", "192.0.2.1", "::1", "::",  # noqa: S104
        "fe80::1", "fc00::1", "ff02::1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
        "64:ff9b::a00:1", "2002:a00:1::1", "2001:0:a00:1::", "fec0::1", "2001:db8::1",
    ],
)  # fmt: skip
def test_addresses_that_are_not_the_internet_s(text: str) -> None:
    assert not is_public(ip_address(text))


@pytest.mark.parametrize("text", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_addresses_that_are(text: str) -> None:
    assert is_public(ip_address(text))


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/", "ftp://example.org/", "file:///etc/passwd", "https://", "//x",
        "https://user:pass@example.org/", "https://example.org:99999/", "https://exa mple.org/",
        "https://example.org/\r\nHost: x", "https://[::1/", "gopher://x", "", "https://exämple.org",
    ],
)  # fmt: skip
def test_what_is_no_address_to_call(url: str) -> None:
    with pytest.raises(ForbiddenAddressError):
        asyncio.run(Outside().ask("POST", url, {}))


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/", "https://localhost/", "https://[::1]/", "https://2130706433/",
        "https://0x7f000001/", "https://127.1/", "https://[::ffff:127.0.0.1]/",
    ],
)  # fmt: skip
def test_this_machine_is_not_called_however_it_is_written(url: str) -> None:
    with pytest.raises(ForbiddenAddressError):
        asyncio.run(Outside().ask("POST", url, {}))


def test_a_name_that_changes_its_mind_is_asked_once() -> None:
    """DNS rebinding: the address that was judged is the one that is called."""
    asked = 0

    async def rebinding(host: str, port: int) -> list[str]:
        nonlocal asked
        asked += 1
        return ["93.184.215.14"] if asked == 1 else ["127.0.0.1"]

    outside = Outside(resolve=rebinding)
    assert str(outside._allowed("evil.example", asyncio.run(rebinding("evil.example", 443)))) == (
        "93.184.215.14"
    )
    with receiving() as receiver:
        port = receiver.address.rpartition(":")[2]

        async def named(host: str, port: int) -> list[str]:
            assert host == "hook.example"
            return ["127.0.0.1"]

        told = asyncio.run(
            Outside(private=True, resolve=named).ask(
                "POST", f"http://hook.example:{port}/ok", {"webhook-id": "1"}, b"{}"
            )
        )
        assert told.status == 204
        assert receiver.got[-1][1]["host"] == f"hook.example:{port}"


@pytest.mark.parametrize("other", ["127.0.0.1", "10.0.0.1", "fd00::1"])
def test_a_name_with_one_private_address_among_others_is_not_called(other: str) -> None:
    async def both(host: str, port: int) -> list[str]:
        return ["93.184.215.14", other]

    with pytest.raises(ForbiddenAddressError):
        asyncio.run(Outside(resolve=both).ask("POST", "https://evil.example/", {}))
