"""French numbers as the Imprimerie nationale sets them; what is not here is Django's."""

THOUSAND_SEPARATOR = "\u202f"
