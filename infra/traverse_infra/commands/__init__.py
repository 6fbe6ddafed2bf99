"""The `traverse` command, a module a group of commands.

tree          every command, each from the package that it belongs to
french_help   its help, and what is wrong with a line as it was typed
engines       `up`, `down`, `status`
institutions  the registry
accounts      who may sign in
work          the stream processors
rejected      what was refused
check         does the index say what the log says
log           `reindex`, `reset`
likeness      `train`
privacy       a person's data
demo          the main job from nothing
bench         the figures of this machine
"""
