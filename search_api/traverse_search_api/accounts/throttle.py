"""How often one may try to sign in. In memory, for one process.

By account from one network address, so that a password is not guessed; by account from anywhere,
more generously, so that a stranger does not lock somebody out with ten attempts; and by address,
so that one machine does not try all accounts.
"""

from typing import Final

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

HERE: Final = "10/15 minutes"
ACCOUNT: Final = "100/15 minutes"
ADDRESS: Final = "100/15 minutes"
WAIT: Final = 15 * 60
"""Seconds after which everything is open again."""


class Throttle:
    """Counts attempts to sign in."""

    def __init__(self, here: str = HERE, account: str = ACCOUNT, address: str = ADDRESS) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._here = parse(here)
        self._account = parse(account)
        self._address = parse(address)

    def attempt(self, account: str, address: str) -> bool:
        """Count an attempt, and say whether it may be made. Counted before it is judged, so that
        many at the same moment are all counted."""
        counted = [self._limiter.hit(*each) for each in self._counters(account, address)]
        return all(counted)

    def succeeded(self, account: str, address: str) -> None:
        """Forget the attempts of who has signed in."""
        for item, *names in self._counters(account, address)[:2]:
            self._limiter.clear(item, *names)

    def _counters(self, account: str, address: str) -> tuple[tuple[RateLimitItem, str, str], ...]:
        return (
            (self._here, f"here {account}", address),
            (self._account, "account", account),
            (self._address, "address", address),
        )
