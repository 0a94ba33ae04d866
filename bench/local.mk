# SPDX-License-Identifier: Apache-2.0
# Benchmarks: built and run by `make bench` only.
EXTRA_PROGRAMS += bench/bench_predict bench/bench_fit bench/bench_simulate bench/bench_moe
bench_bench_predict_SOURCES = bench/bench_predict.c
bench_bench_predict_LDADD = libwavecast.la
bench_bench_fit_SOURCES = bench/bench_fit.c
bench_bench_fit_LDADD = libwavecast.la -lm
bench_bench_simulate_SOURCES = bench/bench_simulate.c
bench_bench_simulate_LDADD = libwavecast-internal.la -lm
bench_bench_moe_SOURCES = bench/bench_moe.c tests/gpu.c tests/gpu.h
bench_bench_moe_LDADD = kernels/libkernels.la libwavecast-internal.la

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

# On a machine with a GPU.
.PHONY: bench-gpu
bench-gpu: bench/bench_moe$(EXEEXT)
	for case in 'olmoe-1b-7b 64 balanced' 'qwen3-30b-a3b 64 balanced' 'mixtral-8x7b 4096 balanced' \
	    'deepseek-v3:tp8 1 uniform'; do \
	    bench/bench_moe$(EXEEXT) $(top_srcdir)/hwdb/data $$case || exit; done
