"""The parameters of a search as filters, each by itself.

parameter_filters  one a parameter, so that a facet can leave its own out
status_query       the status, at a moment
territory_query    what lies in a territory, and what covers it
territory_parts    what a territory is made of
zones              named zones that the operator loads
"""
