"""The vocabulary of Traverse: events, records, topics, documents, errors, reference tables.

Imports nothing of the other packages; everything else imports it.
"""
