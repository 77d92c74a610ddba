"""What `bin/bench` measures: every module here with a `main() -> None` is one bench, named as its file."""
