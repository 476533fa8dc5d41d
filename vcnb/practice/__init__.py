"""The practice service: the hosted one's protocol on loopback, with an engine of its own."""
