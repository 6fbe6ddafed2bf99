"""Who asks, and what they may.

ways             each way in which a request says who it comes from
reader           who reads: the one type that every question to an index takes
rates            how often one may ask
keeping_private  what is answered to somebody is kept by nobody else
sealed           text that a caller brings back as it was given, or not at all
"""
