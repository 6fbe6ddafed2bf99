"""What is read: opportunities and groupings, and how the index holds them.

document         an opportunity
grouping         a proposed joint purchase
status           what people see of it, at a moment
counted          what facets count of it
indexed          all that the index holds beside it
index_mapping    the indices
other_languages  which are read by another analysis
"""
