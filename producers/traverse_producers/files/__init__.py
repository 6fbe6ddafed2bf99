"""Files to publish: opened, read row by row, sent, and told what became of each.

input_streams  what the command line names: files, folders, addresses, `-`
read           whichever form they have
json_rows      events in JSON, NDJSON or a batch
json_pieces    objects, out of octets
rows           what reading gives: an event, a refusal, a row that may be left out
publishing     sends what is ready, waits for the rest
importing      open data of others, the same way
report         counted, each refusal with its line and why
sent_list      the events that were published, each with its row
"""
