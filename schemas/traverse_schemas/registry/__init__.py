"""The registry of institutions: who may publish and read.

institutions         one row an institution
registry             all of them at hand, by SIREN and by key
api_keys             the keys of programs
key_set              the public signing keys, for subscribers
membership           changing it, in somebody's name
institution_changes  what may be changed, as pure functions
"""
