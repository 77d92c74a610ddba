"""One module an embedded part; each offers `start(folder, port, …)`, which answers a running `Part`."""
