"""visio's facts -> rooms to reconcile."""


def connect() -> None:
    """Subscribe; called once at start-up."""
