"""Alerts of saved searches: kept, matched against what changes, delivered.

subscription, wish, book   a saved search: whose it is, what is asked of it, each owner's own
routes, page_routes, removal_routes, private_routes, requests, install
                           where it is asked: the API, the pages, private addresses
dry_run                    what it would have given
everything, followed       all that is followed, those alike once
notifier, watch            the notify step (`traverse work --step notify`)
look, departures, proposed, silence
                           what is seen: changes, records that left, proposals, silent sources
verdict, judging           what it is to who follows
ledger, deliver            what is to be delivered, and each receiver in its own time
digest, weekly_note, envelope, mail
                           by e-mail
webhook, outside           by webhook, never to what is not public
errors                     what is answered no to
"""
