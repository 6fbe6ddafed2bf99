"""How often one may try to sign in: who guesses is slowed down, and shuts nobody else out."""

import pytest

from traverse_search_api.accounts.throttle import Throttle

HOME, OFFICE = "192.0.2.7", "198.51.100.1"


def tries(throttle: Throttle, account: str, address: str, most: int) -> int:
    """How many of so many attempts may be made."""
    return sum(throttle.attempt(account, address) for _ in range(most))


@pytest.mark.parametrize("many", [10, 1000])
def test_one_network_has_ten_attempts_on_an_account_and_uses_up_no_others(many: int) -> None:
    """However long it goes on: its owner still comes in from elsewhere."""
    throttle = Throttle()
    assert tries(throttle, "lea", OFFICE, many) == 10
    assert throttle.attempt("lea", HOME)


def test_the_addresses_of_a_subscriber_are_one_network() -> None:
    throttle = Throttle()
    made = sum(throttle.attempt("lea", f"2001:db8:1:1::{number:x}") for number in range(300))
    assert made == 10
    assert throttle.attempt("lea", "2001:db8:1:2::1")
    assert tries(throttle, "paul", "::ffff:192.0.2.7", 10) == 10
    assert not throttle.attempt("paul", HOME)


def test_one_network_does_not_try_all_accounts() -> None:
    throttle = Throttle()
    made = sum(throttle.attempt(f"account {n}", f"2001:db8:1:1::{n:x}") for n in range(300))
    assert made == 100


def test_many_networks_have_a_hundred_attempts_and_the_owner_comes_in_from_home() -> None:
    """The owner's success gives whoever guesses no more attempts."""
    throttle = Throttle()
    assert throttle.attempt("lea", HOME)
    throttle.succeeded("lea", HOME)

    def guesses() -> int:
        return sum(throttle.attempt("lea", f"203.0.{n // 250}.{n % 250}") for n in range(1000))

    assert guesses() == 99  # beside the one that succeeded
    assert throttle.attempt("lea", HOME)
    throttle.succeeded("lea", HOME)
    assert guesses() == 0


def test_a_colleague_who_guesses_does_not_shut_out_the_office() -> None:
    """Behind one address: who has signed in there comes in, and has ten attempts as anybody."""
    throttle = Throttle()
    throttle.succeeded("lea", OFFICE)
    assert sum(throttle.attempt(f"account {n}", OFFICE) for n in range(300)) == 100
    assert tries(throttle, "lea", OFFICE, 100) == 10
    throttle.succeeded("lea", OFFICE)
    assert throttle.attempt("lea", OFFICE)
