"""The messages of the service, without any input or output, for both ends."""
