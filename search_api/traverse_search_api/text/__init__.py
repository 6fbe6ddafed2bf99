"""The words of a search as an Elasticsearch query.

plan     a text as it is read: its units, what was understood, which words may be missing
fields   where words are looked for
finding  what they find
ranking  what ranks higher of it
query    both, and what is marked
looser   texts that ask for less than one that finds nothing
"""
