"""visio's own facts -> Celery's doorbell and the sockets."""


def connect() -> None:
    """Subscribe; called once at start-up."""
