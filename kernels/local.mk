# SPDX-License-Identifier: Apache-2.0
# Not part of the library or of any program yet.
EXTRA_DIST += kernels/microbench.cu
