"""Linking: which records speak of one real thing, and what they say together.

linker         the whole of it: told of records and of people's words, gives groups
features       what is known of a record
words          its title, as it is compared
blocking       under which keys it is looked for
blocks         which records stand under which key
judge, same, lots
               what two records are to one another
decisions      what people say of two
book           the features of all, and who may be the same as whom
clusters       from pairs and words to groups
link           what each opportunity's id holds
merge          records of one thing, field by field
ended          what they tell in parts
procedure      the lots of one procedure
fitting        within one message
opportunities  what must be written, since what changed
shelf          what each id was last given, on local disk
"""
