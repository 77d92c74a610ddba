.PHONY: run test bench check
run:
	bin/run
test:
	bin/test
bench:
	bin/bench
check:
	bin/check
