# SPDX-License-Identifier: Apache-2.0
# Every tests/test_*.c is a Criterion program of its own: adding one line to
# test_programs is enough. Every tests/*.sh is a check that exits 0, or 77
# when a tool it needs is not there.

# The longest come first, so that `make -j` has short ones left at the end; so in cli_tests, and
# scripts before programs.
test_programs = \
    tests/test_fit \
    tests/test_select \
    tests/test_recorded \
    tests/test_identities \
    tests/test_kernels \
    tests/test_cli_formats \
    tests/test_cli_output \
    tests/test_compare \
    tests/test_crossval \
    tests/test_design \
    tests/test_hwdb \
    tests/test_hwdb_load \
    tests/test_evaluate \
    tests/test_measurement \
    tests/test_payoff \
    tests/test_plan \
    tests/test_occupancy \
    tests/test_analytic \
    tests/test_kernel \
    tests/test_regions \
    tests/test_recording \
    tests/test_validation \
    tests/test_winners \
    tests/test_serving \
    tests/test_timings \
    tests/test_whatif \
    tests/test_sim_engine \
    tests/test_simulate \
    tests/test_calibrate \
    tests/test_routing \
    tests/test_routing_file \
    tests/test_sweep \
    tests/test_base \
    tests/test_base_expr \
    tests/test_base_file

test_scripts = \
    tests/check_readme.sh \
    tests/check_moe_kernel.sh \
    tests/check_python.sh \
    tests/check_report.sh \
    tests/check_embed.sh \
    tests/check_headers.sh \
    tests/check_replay.sh \
    tests/check_cuda_abi.sh \
    tests/check_example.sh \
    tests/check_fields.sh \
    tests/check_format.sh \
    tests/check_includes.sh \
    tests/check_profile.sh \
    tests/check_sources.sh \
    tests/check_sweep.sh \
    tests/check_symbols.sh \
    tests/check_units.sh

tests_libsupport_la_SOURCES = tests/question.c tests/question.h tests/scene.c tests/scene.h tests/support.c tests/support.h

# Preloaded by run_program.sh under valgrind; -rpath makes libtool build a shared object of it.
tests_inprocess_la_SOURCES = tests/inprocess.c
tests_inprocess_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared -rpath /nowhere
tests_inprocess_la_LIBADD =

# A CUDA driver and compiler without a GPU, found through LD_LIBRARY_PATH by check_profile.sh.
tests_fake_cuda_libcuda_la_SOURCES = tests/fake-cuda/cuda.c
tests_fake_cuda_libcuda_la_LDFLAGS = $(AM_LDFLAGS) -shared -rpath /nowhere -version-info 1:0:0
tests_fake_cuda_libcuda_la_LIBADD =
tests_fake_cuda_libnvrtc_la_SOURCES = tests/fake-cuda/nvrtc.c
tests_fake_cuda_libnvrtc_la_LDFLAGS = $(AM_LDFLAGS) -shared -rpath /nowhere -version-info 13:0:0
tests_fake_cuda_libnvrtc_la_LIBADD =

if ENABLE_TESTS
check_LTLIBRARIES += tests/inprocess.la tests/libsupport.la \
    tests/fake-cuda/libcuda.la tests/fake-cuda/libnvrtc.la
check_PROGRAMS += $(test_programs) tests/compile_moe
TESTS += $(test_scripts) $(test_programs)
else
check-local:
	@echo "WARNING: configured with --disable-tests, NOTHING WAS TESTED" >&2
endif

# For test programs; everything else names its own libraries.
LDADD = tests/libsupport.la libwavecast-internal.la $(CRITERION_LIBS)

# Programs that also need the GPU side.
tests_test_kernels_LDADD = kernels/libkernels.la $(LDADD)

# The program itself, where libtool made a script that starts it: for most of what the tests ask of
# it, the script takes as long as the program.
find_program = \
    if test -z "$$WAVECAST_PROGRAM"; then \
        WAVECAST_PROGRAM='$(abs_top_builddir)/.libs/wavecast'; \
        test -x "$$WAVECAST_PROGRAM" || WAVECAST_PROGRAM='$(abs_top_builddir)/wavecast'; \
    fi; export WAVECAST_PROGRAM; \
    LD_LIBRARY_PATH='$(abs_top_builddir)/.libs'"$${LD_LIBRARY_PATH:+:$$LD_LIBRARY_PATH}"; \
    export LD_LIBRARY_PATH;

# Threads of one test that wait for each other by spinning take the time of the test beside it.
passive_threads = OMP_WAIT_POLICY="$${OMP_WAIT_POLICY:-passive}"; export OMP_WAIT_POLICY;

TEST_EXTENSIONS = .sh
SH_LOG_COMPILER = bash
LOG_COMPILER = bash $(top_srcdir)/tests/run_program.sh
AM_TESTS_ENVIRONMENT = \
    WAVECAST_SRCDIR='$(abs_top_srcdir)'; export WAVECAST_SRCDIR; \
    WAVECAST_BUILDDIR='$(abs_top_builddir)'; export WAVECAST_BUILDDIR; \
    WAVECAST_HWDB='$(abs_top_srcdir)/hwdb/data'; export WAVECAST_HWDB; \
    $(find_program) \
    $(passive_threads) \
    WAVECAST_CC='$(CC)'; export WAVECAST_CC; \
    WAVECAST_CXX='$(CXX_FOR_HEADERS)'; export WAVECAST_CXX; \
    WAVECAST_WITH_CUDA='$(cuda_headers)'; export WAVECAST_WITH_CUDA; \
    WAVECAST_CUDA_CPPFLAGS='$(CUDA_CPPFLAGS)'; export WAVECAST_CUDA_CPPFLAGS; \
    CLANG_FORMAT='$(CLANG_FORMAT)'; export CLANG_FORMAT; \
    NM='$(NM)'; export NM; \
    WAVECAST_VALGRIND='$(WAVECAST_VALGRIND)'; export WAVECAST_VALGRIND; \
    WAVECAST_UPDATE='$(WAVECAST_UPDATE)'; export WAVECAST_UPDATE; \
    unset CRITERION_TEST_PATTERN CRITERION_ALWAYS_SUCCEED;

EXTRA_DIST += $(test_scripts) tests/gpu_live.sh tests/exported-symbols.txt \
    tests/bad_sweeps tests/bad_yaml tests/hwdb-fake tests/sweeps tests/installcheck.sh tests/lib.sh tests/run_program.sh

installcheck-local:
	bindir='$(bindir)' libdir='$(libdir)' includedir='$(includedir)' \
	    pkgdatadir='$(pkgdatadir)' version='$(PACKAGE_VERSION)' CC='$(CC) $(INSTRUMENT_CFLAGS)' \
	    bash $(top_srcdir)/tests/installcheck.sh

# Laws over a million random GPUs: minutes, so not part of `make check`.
EXTRA_PROGRAMS += tests/laws
tests_laws_SOURCES = tests/laws.c tests/question.c tests/question.h
tests_laws_CFLAGS = $(AM_CFLAGS)
tests_laws_LDADD = libwavecast-internal.la
LAWS_GPUS = 1000000
.PHONY: check-laws
check-laws: tests/laws$(EXEEXT)
	tests/laws$(EXEEXT) $(top_srcdir)/hwdb/data $(LAWS_GPUS)

# For .ci/run, which runs the programs once more under valgrind.
.PHONY: print-test-programs
print-test-programs:
	@echo $(test_programs)

# Compiling the bundled kernel: a sample in `make check` (check_moe_kernel.sh), all of it, which
# takes minutes, in `make check-kernels`.
tests_compile_moe_SOURCES = tests/compile_moe.c
tests_compile_moe_LDADD = kernels/libkernels.la libwavecast-internal.la

.PHONY: check-kernels
check-kernels: tests/compile_moe
	$(AM_TESTS_ENVIRONMENT) tests/compile_moe

# The live suite: `make check-gpu`. Exit code 77 of a program means that there is no GPU.
gpu_programs = tests/gpu_moe
EXTRA_PROGRAMS += $(gpu_programs)
tests_gpu_moe_SOURCES = tests/gpu_moe.c tests/gpu.c tests/gpu.h
tests_gpu_moe_LDADD = kernels/libkernels.la libwavecast-internal.la

.PHONY: check-gpu
check-gpu: $(gpu_programs) wavecast
	$(AM_TESTS_ENVIRONMENT) for program in $(gpu_programs); do ./$$program || exit; done; \
	    bash $(srcdir)/tests/gpu_live.sh
