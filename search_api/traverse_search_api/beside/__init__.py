"""What stands beside a search.

beside       records like one, a map of counts
suggestions  what may be typed next
routes       their addresses
"""
