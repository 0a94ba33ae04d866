# SPDX-License-Identifier: Apache-2.0
# Benchmarks: built and run by `make bench` only.
EXTRA_PROGRAMS += bench/bench_predict
bench_bench_predict_SOURCES = bench/bench_predict.c
bench_bench_predict_LDADD = libwavecast.la

.PHONY: bench
bench: bench/bench_predict$(EXEEXT)
	bench/bench_predict$(EXEEXT) $(top_srcdir)/hwdb/data
