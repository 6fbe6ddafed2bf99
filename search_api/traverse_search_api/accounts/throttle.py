"""How often one may try to sign in. In memory, for one process.

By account from one network, so that a password is not guessed; by account from anywhere, more
generously, since guesses may come from many networks; and by network, so that one machine does not
try all accounts. A network of IPv6 is what one subscriber has, all of whose addresses it may use.

What is refused here counts nowhere, for no password was compared: one network spends ten attempts
on an account, however often it goes on. Whoever tries from many may use up the attempts on somebody
else's account, but not those of its owner where the owner has signed in before: from there, that
network's own ten count and nothing else.
"""

from collections import OrderedDict
from typing import Final

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from traverse_schemas.web.networks import network_of

HERE: Final = "10/15 minutes"
ACCOUNT: Final = "100/15 minutes"
ADDRESS: Final = "100/15 minutes"
WAIT: Final = 15 * 60
"""Seconds after which everything is open again."""
_MOST_HOMES: Final = 100_000


class Throttle:
    """Counts attempts to sign in."""

    def __init__(self, here: str = HERE, account: str = ACCOUNT, address: str = ADDRESS) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._here = parse(here)
        self._account = parse(account)
        self._address = parse(address)
        # Where somebody has signed in, the last of them last.
        self._homes: OrderedDict[tuple[str, str], None] = OrderedDict()

    def attempt(self, account: str, address: str) -> bool:
        """Whether an attempt may be made; then it is counted. Before it is judged, so that many at
        the same moment are all counted."""
        counters = self._counters(account, network_of(address))
        if not all(self._limiter.test(*each) for each in counters):
            return False
        for each in counters:
            self._limiter.hit(*each)
        return True

    def succeeded(self, account: str, address: str) -> None:
        """Forget the attempts that somebody made from where they have signed in, and remember that
        they are at home there. Those from elsewhere still count: they were somebody else's."""
        home = account, network_of(address)
        self._homes[home] = None
        self._homes.move_to_end(home)
        if len(self._homes) > _MOST_HOMES:
            self._homes.popitem(last=False)
        self._limiter.clear(*self._counters(*home)[0])

    def _counters(self, account: str, network: str) -> list[tuple[RateLimitItem, str, str]]:
        here = (self._here, f"here {account}", network)
        if (account, network) in self._homes:
            return [here]
        return [here, (self._account, "account", account), (self._address, "address", network)]
