"""Feed: the log over HTTP, page by page, for systems that have no Kafka and cannot be called."""
