"""Events kept on disk until they are delivered.

outbox              a transport that keeps
durable_queue       what it kept survives SIGKILL and power cuts
durable_queue_file  its file
deliverer           takes them to another transport
commands            `traverse outbox`
"""
