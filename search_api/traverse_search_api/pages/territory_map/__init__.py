"""The map beside a list of results.

routes  `/carte/{territory}.svg`, the drawing beneath
base    its outlines
window  which part of the world it shows
names   where names are written on it
view    the counts over it, as data
"""
