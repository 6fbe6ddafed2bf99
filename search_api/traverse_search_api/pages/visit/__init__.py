"""« Fiche de visite »: what there is around a commune, for who goes there.

routes   its page
offline  those that a browser keeps
"""
