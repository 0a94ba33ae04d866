# SPDX-License-Identifier: Apache-2.0
# The GPU side: part of the program, never of the library. CUDA's driver and compiler are opened at
# run time, so this builds and runs everywhere.
cuda_sources = \
    kernels/moe.cu \
    kernels/moe_instructions.cuh \
    kernels/moe_params.cuh \
    kernels/moe_sort.cu \
    kernels/probe.cu

kernels_libkernels_la_SOURCES = \
    kernels/cache.c kernels/cache.h \
    kernels/compiler.c kernels/compiler.h \
    kernels/cuda_driver.c kernels/cuda_driver.h \
    kernels/device.c kernels/device.h \
    kernels/library.c kernels/library.h \
    kernels/moe.c kernels/moe.h kernels/moe_private.h \
    kernels/moe_build.c \
    kernels/moe_check.c \
    kernels/moe_launch.c \
    kernels/moe_routing.c \
    kernels/nvrtc.c kernels/nvrtc.h \
    kernels/probe.c kernels/probe.h \
    kernels/probe_file.c \
    kernels/sources.c kernels/sources.h \
    kernels/timing.c kernels/timing.h
nodist_kernels_libkernels_la_SOURCES = kernels/embedded.c
kernels_libkernels_la_LIBADD = $(NETTLE_LIBS)
noinst_LTLIBRARIES += kernels/libkernels.la

kernels/embedded.c: $(cuda_sources) kernels/embed.sh kernels/local.mk
	$(AM_V_GEN)$(MKDIR_P) kernels && \
	    (for source in $(cuda_sources); do echo "$(srcdir)/$$source"; done) | \
	    xargs sh $(srcdir)/kernels/embed.sh >$@.part && mv $@.part $@
CLEANFILES += kernels/embedded.c

EXTRA_DIST += $(cuda_sources) kernels/embed.sh kernels/microbench.cu
