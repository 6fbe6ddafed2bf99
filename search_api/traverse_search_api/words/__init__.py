"""What is typed in `q`, taken apart; what it means is `understanding`.

typed_words   words, phrases, beginnings, exclusions, fields
spans         words next to each other, folded, with what stands around
units         each a thing to find
synonym_book  the words added to those that were typed
"""
