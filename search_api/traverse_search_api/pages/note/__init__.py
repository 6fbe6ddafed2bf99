"""« Note du comité stratégique »: each week, what is awaited, what hurts, what was answered.

routes   its pages
week     which week
reading  a few questions to the index
view     as data
lists    the items that it names, and the lists behind its figures
"""
