"""A whole search as a file.

formats          each form: who writes it, and what it is called
tables           French headers, and no cell that a spreadsheet would compute
workbook         XLSX, sent while it is written
calendar_object  iCalendar
pages            the documents, from one point in time
places           how many exports run at once
routes           their addresses
"""
