"""Permanences: when and where an institution receives people, from its calendar.

calendar     octets in, what is open where and when out
occurrences  when an event takes place
handed_in    a calendar that is handed in, checked
published    those that were, one row an institution
held         those of other sites, from their addresses
desk         where an institution hands in, by page and by API
near         which are near a place
routes       `/v1/permanences/{siren}`
errors       what is answered no to
"""
