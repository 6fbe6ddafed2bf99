"""Accounts of staff: who may sign in, and for which institution.

account          one account: its roles, and for whom
directory        all of them at hand, by address and by a provider's identity
account_changes  what may be changed of one, as pure functions
sign_in_routes   signing in and out
openid           at an OpenID provider
passwords        by a password of ours
throttle         how often one may try
session          a sealed cookie, judged by the account's row
visits           who makes a request, and whether a form is theirs to send
forms            forms that people send, bounded
account_routes   « Mon compte », and the accounts of an institution
unbind_routes    unbinding one from a provider's identity
audit            what people did, on `traverse.audit`
staff            what the pages need of all this, in one place
errors           what is answered no to
"""
