"""The second step: links, opportunities, documents in the index, what changed.

work    links, forms, writes, tells
index   from opportunities to bulk operations, and what each answer means
bulk    the one module that knows the Elasticsearch client here
refuse  what the index does not take, for who sent it
"""
