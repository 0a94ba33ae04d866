# SPDX-License-Identifier: Apache-2.0
base_sources = \
    base/csv.c base/csv.h \
    base/directory.c \
    base/error.c base/error.h \
    base/expr.c base/expr.h \
    base/expr_eval.c base/expr_program.h \
    base/file.c base/file.h \
    base/gzip.c base/gzip.h \
    base/memory.c base/memory.h \
    base/number.c \
    base/random.c base/random.h \
    base/text.c base/text.h \
    base/utf8.c \
    base/version.c
libwavecast_la_SOURCES += $(base_sources)
