"""`python -m suite.local.bench NAME`: one bench, in the environment that `bin/bench` has made."""

import sys
from importlib import import_module

import django

if __name__ == "__main__":
    django.setup()
    import_module(f"suite.local.bench.{sys.argv[1]}").main()
