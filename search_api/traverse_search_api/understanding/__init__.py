"""What the words of a search mean beyond themselves: told with the answer, never applied silently.

meaning          all of it, for one text
place_names      territories as people name them
place_aliases    their short names, in a plain file
governing_names  territories by who governs them
trades           trades as people name themselves, in a plain file
procedure_words  words of procurement
time_words       times
amount_words     amounts
code_words       codes and numbers
concerned        which documents what was understood concerns
"""
