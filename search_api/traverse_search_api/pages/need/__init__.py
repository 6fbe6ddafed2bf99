"""« Signaler un besoin »: typed, looked over, published, and told what became of it.

routes   its pages
form     from what somebody typed to a need, or to what is missing
alike    needs that may be the same
outcome  what became of it
"""
