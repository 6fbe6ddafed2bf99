"""Which theme a CPV code belongs to: all 45 divisions, and the branches that differ from theirs.

The choice is ours: a code goes where the staff of a town hall would look for it.
"""

from types import MappingProxyType

# The longest prefix wins: "45233" (roads) before "4523" (pipes and roads) before "45" (works).
_PREFIXES = {
    "voirie": "349 44113 45221 4523 45233 63712 90610 90611 90612 90620 90630",
    "transport": "34 45234 45235 501 502 60 63",
    "batiment": "441 442 443 448 449 45 507",
    "eau": "41 42912 44161 45231 45232 4524 45252 65 7132224 718 904",
    "dechets": "34928480 45222110 45252300 77120 905",
    "energie": "09 311 314 315 4251 45251 45261215 45315 45316 45321 45331 45333 50232 5072 652 653"
    " 654 71314 76",
    "numerique": "302 32 45314 48 503 513 516 642 72",
    "education": "39161 39162 45214 80 85312110",
    "alimentation": "03 15 39221 42215 553 554 555",
    "sante": "33 45215 504 514 85",
    "culture": "2211 373 378 45212 45212314 4521235 92",
    "sport": "37 4511272 452122 4523611 45242 923 926",
    "tourisme": "452124 55 635 7995",
    "nature": "034 16 4511271 45246 71421 77 907",
    "risques": "35 45216 45243 45247 45312 45343 506 517 71317 7524 7525 797",
    "emploi": "796 804 805 806",
    "economie": "45213 559 73 793 794",
    "habitat": "45211 70 714",
    "etudes": "71",
    "services": "50 64 66 75 79 98",
    "proprete": "39831 90 983",
    "fournitures": "14 18 19 22 24 30 31 38 39 42 43 44 51",
}

THEME_OF_CPV = MappingProxyType(
    {prefix: theme for theme, prefixes in _PREFIXES.items() for prefix in prefixes.split()}
)
"""Prefix of 2 to 8 digits -> theme slug."""
