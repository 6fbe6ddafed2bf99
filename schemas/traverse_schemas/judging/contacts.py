"""Contact details in words that people publish: taken out where they are not published on purpose
(personal data: design, decision 11).
"""

import re

REMOVED = "…"
"""What stands where an e-mail address or a phone number was."""

# Possessive quantifiers (`++`): a hostile text costs no more than its length.
EMAIL = re.compile(r"(?<![\w.+%'-])[\w.+%'-]++@[\w-]++(?:\.[\w-]++)++")
# French numbers (0X and four pairs, or +33), and international ones of 9 digits or more (ITU-T
# E.164). Digits on either side mean another number: a SIRET, a contract, an amount.
_PHONE = re.compile(
    r"(?<![0-9A-Za-z])(?<![0-9][.,/ -])(?:"
    r"(?:(?:\+|00) ?33 ?(?:\(0\) ?)?|0)[1-9](?:[ .-]?[0-9]{2}){4}"
    r"|\+(?=(?:[^0-9]{0,2}[0-9]){9})(?:[ ./-]?\(?[0-9]++\)?+){1,8}+"
    r")(?![0-9])"
)
_NAME = r"[A-ZÀ-Þ][\w'’-]*+"
_TITLED = rf"(?:M\.|MM\.|Mr|Mme|Mlle|Monsieur|Madame) {_NAME}(?: {_NAME}){{0,2}}"
# The ways in which free text names a contact: `Prénom Nom <adresse>`, and a title and name after
# the words that introduce one, or just before an address. A name alone cannot be told from a
# firm's or a place's.
_NAMED_ADDRESS = re.compile(rf"(?<!\w)(?:{_NAME} ){{1,3}}(?=<[^<>@ ]+@)")
_NAMED_CONTACT = re.compile(
    r"(?P<before>(?i:contacts?|auprès de|interlocut\w+|adresser à|attention de) ?:? ?)" + _TITLED
)
_NAMED_BEFORE = re.compile(rf"(?<!\w){_TITLED}(?=[^.;…]{{0,30}}{REMOVED})")


def without_contacts(text: str) -> str:
    """The text with e-mail addresses, phone numbers and named contacts replaced by « … »."""
    if "@" in text:
        text = EMAIL.sub(REMOVED, _NAMED_ADDRESS.sub("", text))
    text = _NAMED_CONTACT.sub(rf"\g<before>{REMOVED}", _PHONE.sub(REMOVED, text))
    return _NAMED_BEFORE.sub(REMOVED, text) if REMOVED in text else text
