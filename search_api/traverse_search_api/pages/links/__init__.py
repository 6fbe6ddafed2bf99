"""« En lien »: what a record is to others, for its institution.

routes  its pages
view    as data
word    what an institution says of two records, from a click to events
"""
