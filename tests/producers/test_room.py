"""The room for what is under way: memory stays bounded, by events and by octets."""

import threading

from traverse_producers.room import Room


def test_room_is_bounded_by_events_and_by_octets() -> None:
    """Many small events and few large ones both fill it."""
    few = Room(events=2, octets=1000)
    assert few.take(1, 0)
    assert few.take(1, 0)
    assert not few.take(1, 0)
    large = Room(events=100, octets=10)
    assert large.take(10, 0)
    assert not large.take(1, 0)


def test_what_is_given_back_lets_the_next_one_in() -> None:
    """Who waits goes on as soon as an event is settled."""
    room = Room(events=1, octets=10)
    assert room.take(5, 0)
    taken: list[bool] = []
    waiting = threading.Thread(target=lambda: taken.append(room.take(5, 10)))
    waiting.start()
    room.give_back(5)
    waiting.join(10)
    assert taken == [True]
