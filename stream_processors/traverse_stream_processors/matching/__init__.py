"""Matching: needs and what answers them, and purchases that could be made together.

matches                                   the whole of it, from records to links and groupings
matcher                                   told of records and words, keeps the three below
answering, answers, answer_book           what answers a need
joining, joint, bonds, groups             what could be bought together
groupings, members, sums, layers, engagement, words
                                          what a grouping says, for whom, and how far it has come
keys, meetings, sides, apart              who meets whom, and how crowded places are told apart
facts, texts, subject, topics, territory, purchases, lots, roles, central_bodies, calendar
                                          what is known of a record, and compared
lasting, shown                            which of it lasts, and is shown
french                                    as reasons say it
"""
