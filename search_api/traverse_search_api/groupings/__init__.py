"""Joint purchases that are proposed.

groupings  which of them a reader sees, and in which words
table      their topic, followed live
read       one by its id
errors     what there is to say of one that is not shown
"""
