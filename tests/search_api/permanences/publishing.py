"""A real HTTP server where an institution publishes its calendar of permanences."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from tests.local_http import Quiet, answering


def event(uid: str, *lines: str, start: str = "TZID=Europe/Paris:20260106T090000") -> str:
    """A VEVENT; one that begins on Tuesday 6 January 2026 at nine, unless said otherwise."""
    said = ["BEGIN:VEVENT", f"UID:{uid}", f"DTSTART{';' if '=' in start else ':'}{start}", *lines]
    return "\r\n".join([*said, "END:VEVENT"])


def calendar(*events: str) -> bytes:
    """A whole iCalendar."""
    head = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//essai//FR"]
    return "\r\n".join([*head, *events, "END:VCALENDAR", ""]).encode()


WEEKLY = event(
    "creation",
    "DTEND;TZID=Europe/Paris:20260106T120000",
    "RRULE:FREQ=WEEKLY;BYDAY=TU",
    "EXDATE;TZID=Europe/Paris:20260324T090000",
    "SUMMARY:Créer son entreprise",
    "LOCATION:Maison de l'emploi\\, 1 rue Haute\\, 13400 Aubagne",
    "URL:https://cci.example/rendez-vous",
    "ORGANIZER;CN=Anne Martin:mailto:anne@cci.example",
    "DESCRIPTION:Demander Anne Martin",
)


@dataclass
class Publisher:
    """`/ok.ics` gives `content`; `/big.ics` more than anybody reads; `/moved.ics` points there;
    `/none.ics` is none."""

    address: str = ""
    content: bytes = calendar(WEEKLY)
    asked: list[str] = field(default_factory=list)
    away: bool = False


@contextmanager
def publishing() -> Iterator[Publisher]:
    publisher = Publisher()

    class Handler(Quiet, BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            publisher.asked.append(self.path)
            body = publisher.content
            if publisher.away:
                self.send_response(500)
            elif self.path == "/moved.ics":
                self.send_response(302)
                self.send_header("Location", f"{publisher.address}/ok.ics")
            else:
                self.send_response(200)
            if self.path == "/big.ics":
                body = body + b" " * 600_000
            if self.path == "/none.ics":
                body = b"<html>\xff"
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with answering(Handler) as publisher.address:
        yield publisher
