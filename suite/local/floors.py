"""The lowest versions that 2026's security advisories leave acceptable. Standard library only."""

import sys
from importlib import metadata

FLOORS = {
    "Django": "5.2.19",
    "PyJWT": "2.15",
    "urllib3": "2.8",
    "cryptography": "50",
    "Twisted": "26.10",
    "autobahn": "26.7.1",
    "daphne": "4.2.2",
    "icalendar": "7.3",
    "channels": "4.3.2",
    "celery": "5.7",
}


def parts(version: str) -> tuple[int, ...]:
    """`"26.10.2.post1"` → `(26, 10, 2)`: the leading numbers decide."""
    numbers: list[int] = []
    for piece in version.split("."):
        if not piece.isdigit():
            break
        numbers.append(int(piece))
    return tuple(numbers)


def below_floor() -> list[str]:
    """One line for every installed package that is older than its floor."""
    return [
        f"{name} {metadata.version(name)} is below {floor}"
        for name, floor in FLOORS.items()
        if parts(metadata.version(name)) < parts(floor)
    ]


if __name__ == "__main__":
    FAULTS = below_floor()
    print("\n".join(FAULTS) or "every floor is met")
    sys.exit(1 if FAULTS else 0)
