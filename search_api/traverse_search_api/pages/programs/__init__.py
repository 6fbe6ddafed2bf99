"""« Pour les programmes »: the API for people who write programs.

routes  its page
view    the OpenAPI description as data
"""
