# SPDX-License-Identifier: Apache-2.0
# Benchmarks: built and run by `make bench` only.
EXTRA_PROGRAMS += bench/bench_predict bench/bench_fit bench/bench_simulate
bench_bench_predict_SOURCES = bench/bench_predict.c
bench_bench_predict_LDADD = libwavecast.la
bench_bench_fit_SOURCES = bench/bench_fit.c
bench_bench_fit_LDADD = libwavecast.la -lm
bench_bench_simulate_SOURCES = bench/bench_simulate.c
bench_bench_simulate_LDADD = libwavecast-internal.la -lm

.PHONY: bench
bench: bench/bench_predict$(EXEEXT) bench/bench_fit$(EXEEXT) bench/bench_simulate$(EXEEXT)
	bench/bench_predict$(EXEEXT) $(top_srcdir)/hwdb/data
	bench/bench_fit$(EXEEXT) $(top_srcdir)/hwdb/data
	bench/bench_simulate$(EXEEXT) $(top_srcdir)/hwdb/data

# The sweep as a user runs it; /usr/bin/time (or the shell's) tells seconds and memory.
.PHONY: bench-sweep
bench-sweep: wavecast$(EXEEXT)
	@grep -m1 'model name' /proc/cpuinfo; nproc | sed 's/$$/ cores/'
	@work=$$(mktemp -d) && export WAVECAST_HWDB=$(abs_top_srcdir)/hwdb/data && \
	    time=$$(command -v time || true) && \
	    $$time ./wavecast$(EXEEXT) sweep $(top_srcdir)/bench/sweep.yaml -o $$work/results.db; \
	    rm -rf $$work

EXTRA_DIST += bench/sweep.yaml
