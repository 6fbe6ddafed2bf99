"""The HTTP gateway: publishing for who has no Kafka client. `app` puts it together."""
