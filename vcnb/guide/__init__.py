"""How to record well, as the service's page advises it."""
