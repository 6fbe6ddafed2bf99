"""How French is read.

analysis    in the index, and in what people type
synonyms    the words added to those that were typed, in a plain file
word_lists  such files
numbers     numbers and sums, as French writes them
"""
