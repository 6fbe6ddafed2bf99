"""Pauses between attempts that grow, with some chance so that many do not come back at once."""

from tenacity import RetryCallState, Retrying, wait_exponential_jitter


class Pauses:
    """Seconds to wait after the nth failure in a row: from `first`, doubling, at most `longest`."""

    def __init__(self, *, first: float = 0.2, longest: float = 30) -> None:
        self._wait = wait_exponential_jitter(multiplier=first, max=longest, jitter=first / 2)

    def after(self, failures: int) -> float:
        """The pause after that many failures in a row (1 for the first)."""
        state = RetryCallState(Retrying(), None, (), {})
        state.attempt_number = failures
        return float(self._wait(state))
