"""Records from tables, whatever file they are in.

columns   which there may be: an English name, French ones
cells     as French people fill them
record    from the cells of one row to one event
rows      the plan of a header, then row by row
mapping   how a table that exists already says the same
csv_rows  rows of a CSV file
commands  `traverse template`, and the tables of `traverse publish`
"""
