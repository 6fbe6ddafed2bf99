"""Kafka, for who operates it.

topics      as declared
acls        who may do what
reading     whole topics, and how far the steps have come
rejections  what was refused
reset       derived topics, made anew
"""
