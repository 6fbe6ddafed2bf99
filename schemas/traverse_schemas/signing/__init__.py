"""Whose word an event is (design, decision 8).

signatures   over the very octets
attribution  who said it, by the registry
sources      `source`, who it says that it is
ed25519      signing and verifying octets
"""
