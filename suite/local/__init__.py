"""The embedded parts for one machine: `bin/run`, `bin/test` and `bin/bench` stand on these modules.

Everything here but `catcher/` is standard library alone: the scripts import it before the environment exists.
"""
