"""Which followed searches a changed document concerns: for streams, and for alerts.

looked       what the indices say of changed documents
needs        what a search needs of a document, so that most are never asked about
words        which words of searches a document holds, as the index reads both
judging      what a filter says of a document
searches     the searches that are followed, each judged of a document: yes, no, ask
finding      the whole of it, with what only Elasticsearch can tell asked of it
"""
