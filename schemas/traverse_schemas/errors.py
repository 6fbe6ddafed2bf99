"""The errors of the vocabulary, and why an event can be rejected.

    TraverseError
    ├── InvalidSourceError      a `source` that is not urn:siren:NNNNNNNNN[:system]
    ├── RejectedError           an event that cannot be accepted (reason, JSON pointer, sentence)
    └── …                       each package adds its own below TraverseError

`str(error)` is the one French sentence that the user reads: what happened, where, how to mend it.
"""

from enum import StrEnum


class TraverseError(Exception):
    """Base of every error that Traverse raises on purpose."""


class InvalidSourceError(TraverseError, ValueError):
    """The CloudEvents `source` does not name an institution."""


class Reason(StrEnum):
    """Why an event was rejected; a stable code, for programs (the sentence is for people)."""

    NOT_JSON = "not_json"
    TOO_LARGE = "too_large"
    TOO_DEEP = "too_deep"
    INVALID_ENVELOPE = "invalid_envelope"
    UNKNOWN_TYPE = "unknown_type"
    UNKNOWN_VERSION = "unknown_version"
    INVALID_SOURCE = "invalid_source"
    INVALID_DATA = "invalid_data"
    UNKNOWN_PLACE = "unknown_place"
    DEADLINE_BEFORE_PUBLICATION = "deadline_before_publication"
    IN_THE_FUTURE = "in_the_future"
    ID_REUSED = "id_reused"
    UNSIGNED = "unsigned"
    BAD_SIGNATURE = "bad_signature"
    UNKNOWN_KEY = "unknown_key"
    KEY_NOT_YET_VALID = "key_not_yet_valid"
    EXPIRED_KEY = "expired_key"
    REVOKED_KEY = "revoked_key"
    WRONG_INSTITUTION = "wrong_institution"
    UNKNOWN_INSTITUTION = "unknown_institution"
    REVOKED_INSTITUTION = "revoked_institution"
    DOCUMENT_REFUSED = "document_refused"
    INTERNAL = "internal"


class RejectedError(TraverseError):
    """An event that cannot be accepted as it is.

    `pointer` is a JSON pointer (RFC 6901) into the event, "" for the whole of it.
    """

    def __init__(self, reason: Reason, pointer: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.pointer = pointer
        self.sentence = sentence
