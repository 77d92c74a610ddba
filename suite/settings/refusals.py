"""Which secrets production refuses to start with: those of a local copy, those that anybody would guess, those that are missing."""

from django.core.exceptions import ImproperlyConfigured

# The embedded parts mark every secret they make for one machine with the first prefix, `startproject` with the second.
KNOWN_PREFIXES = ("local-", "django-insecure-")
KNOWN_PASSWORDS = {"postgres", "password", "changeme", "secret", "portal", "portail", "admin", "root"}
# Made up by whoever deploys the portal, and open to guessing without asking anybody: signatures, and what browsers are shown.
SHORTEST = 32
FEWEST_CHARACTERS = 5


def refuse(name: str, why: str) -> None:
    """ImproperlyConfigured that names the variable and never its value."""
    raise ImproperlyConfigured(f"{name} {why}")


def check_key(name: str, value: str) -> None:
    """A key made up for the portal."""
    if value.startswith(KNOWN_PREFIXES) or len(value) < SHORTEST or len(set(value)) < FEWEST_CHARACTERS:
        refuse(name, f"is a default or too short: set at least {SHORTEST} random characters.")


def check_password(name: str, value: str, user: str = "") -> None:
    """A secret that another service gave out: its length is theirs to choose."""
    if value.startswith(KNOWN_PREFIXES) or value.lower() in KNOWN_PASSWORDS | {user.lower()} - {""}:
        refuse(name, "holds a password that is a default: choose another one.")


def check_present(name: str, value: str, why: str) -> None:
    if not value:
        refuse(name, f"is missing or holds no password: {why}.")
