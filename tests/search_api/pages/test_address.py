"""The address of a page says what was asked, and filters come off one by one."""

from traverse_search_api.pages.address import given, instead, page_address, with_value, without
from traverse_search_api.parameters import SearchParameters


def asked(**values: object) -> dict[str, list[str]]:
    return given(SearchParameters.model_validate(values))


def test_what_was_not_asked_is_not_in_the_address() -> None:
    assert page_address(asked()) == "/"
    assert page_address(asked(q="", theme="")) == "/"


def test_each_value_comes_off_by_itself() -> None:
    both = asked(q="école & rue", kind="call,need")
    assert both == {"q": ["école & rue"], "kind": ["call", "need"]}
    assert page_address(without(both, "kind", "call")) == "/?q=%C3%A9cole+%26+rue&kind=need"
    assert "kind" not in without(without(both, "kind", "call"), "kind", "need")


def test_a_point_and_a_sum_come_back_as_they_were() -> None:
    found = asked(near="43.2965,5.3698", radius="10", amount_min="1500")
    assert found == {"near": ["43.2965,5.3698"], "radius": ["10"], "amount_min": ["1500"]}
    assert SearchParameters.model_validate({k: v[0] for k, v in found.items()}).radius == 10


def test_a_value_is_added_or_put_in_place_of_others() -> None:
    assert with_value({"kind": ["call"]}, "kind", "need") == {"kind": ["call", "need"]}
    assert instead({"sort": ["amount"]}, "sort", "deadline") == {"sort": ["deadline"]}
