"""What `bin/bench` measures: every module here with a `main() -> None` is one bench, named as its file."""

import os


def size(full: int, small: int) -> int:
    """How much to do: `full`, or `small` under BENCH_SMALL=1, which only shows that the bench runs (its figures say nothing)."""
    return small if os.environ.get("BENCH_SMALL") == "1" else full
