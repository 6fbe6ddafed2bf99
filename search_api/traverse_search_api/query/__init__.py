"""The whole search, as Elasticsearch is asked it.

queries        the body, for some parameters and a reader
facets         counts of each choice
status_counts  those of statuses
breadth        searches that find so many that titles alone order them
second_look    when nothing is found
paging         pages that stay put while documents arrive
cursor         the next one of them, sealed
totals         how many, and whether that is exact
"""
