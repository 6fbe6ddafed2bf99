"""What is known of each institution beside what it publishes.

freshness        the last word of each source
rhythm           when it has gone silent
readership       how often it is read and followed
showcases        which sites may show its list
showcase_errors  what there is to say of one that may not
"""
