"""May this be said, and is it well said? The same for the gateway and for the processors.

judge                 one event
sentences             what is wrong with it, in French
contacts              what is taken out of words that people publish
succession            which versions of its type are taken, and how long
export_json_schema    the JSON Schemas, from the models
schema_compatibility  whether one still takes what an older one took
"""
