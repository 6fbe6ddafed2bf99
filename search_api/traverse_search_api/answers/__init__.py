"""What is found, as it is shown.

items           hits and documents, with status and French words
links           what an opportunity is to others, on a day
active_filters  the filters of the search in words
explanation     why an item ranks where it does
table           the answer for a terminal
answer_schema   all of it, for the OpenAPI
"""
