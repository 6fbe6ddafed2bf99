"""Spreadsheets: the template that staff fill in, what is read of a workbook, what to mend in it."""
