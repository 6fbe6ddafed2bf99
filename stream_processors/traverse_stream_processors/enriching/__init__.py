"""What a record says, with what the reference tables know; and what its events say together.

enrich   one record
places   every level above
subject  CPV and themes
text     clean, and in which language
fold     the events of a record, joined
"""
