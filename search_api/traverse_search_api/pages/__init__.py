"""The staff pages: each is data (a view), then a template. `docs/pages.md` says what they are for.

routes                                    the pages of a search and of a record; installs the others
search_view, record_view, lot_table       as data
search_parameters, address                what an address of a search asks for, and how it is said
need, groupings, links, institution, note, visit, territory_map, programs
                                          folders of their own
changes_routes, changes_view              « Ce qui a changé »
dashboard_routes, dashboard_view, chart   « Tableau de bord territorial »
files_routes, files_view                  a search as files and feeds
showcase_routes                           « Vitrine »
excuses, excuse_view                      an error, for people
reading                                   what a page reads, for who asks
audience, typed_place, words              who else may read, places in forms, French of all pages
render                                    a template, and the headers that protect it
"""
