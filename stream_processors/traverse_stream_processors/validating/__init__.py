"""The first step: who speaks, is it well said, what is to be written where.

work      looks up, admits, writes, remembers
check     each message of a batch alone
validate  may this be said, and is it well said
admit     from a batch to what must be written
state     a cache on disk of what the log holds
keep      what an accepted event leaves on the log
reject    what a refused one leaves
rekey     what another partitioner misplaced
purge     what an erasure takes
decide    what people say of links and groupings
disclose  what subscribers of the public topics read
sandbox   what is only tried
replay    accepted events, taken into account again
"""
