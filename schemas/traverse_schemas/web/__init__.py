"""What our services over HTTP have in common, whichever they are.

http_server   uvicorn, with bounds on what comes before the application
http_methods  HEAD wherever there is GET, and what an address takes
any_site      any site may read what anybody may read
counting      answers, counted
networks      addresses, as they are counted
"""
