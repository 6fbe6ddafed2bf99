"""« Mutualiser »: the joint purchases that are proposed.

routes  its pages
view    as data
word    what a member says of one, from a click to an event
"""
