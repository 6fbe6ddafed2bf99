"""What answers over HTTP have in common, whatever they say.

query_string    the parameters of a request, read into a model
problems        every error as problem+json
description     what the OpenAPI says beside the routes
conditional     what did not change is not sent again
compressing     pages for slow lines
file_answer     a file, piece by piece
patient_answer  for as long as its reader takes it
"""
