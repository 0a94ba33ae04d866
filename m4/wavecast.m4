# SPDX-License-Identifier: Apache-2.0

# WAVECAST_CC_FLAGS(VARIABLE, FLAGS)
# Substitutes VARIABLE with those FLAGS that the C compiler accepts.
AC_DEFUN([WAVECAST_CC_FLAGS], [
$1=
wavecast_save_CFLAGS=$CFLAGS
for wavecast_flag in $2; do
    AC_MSG_CHECKING([whether $CC accepts $wavecast_flag])
    CFLAGS="$wavecast_save_CFLAGS -Werror $wavecast_flag"
    AC_COMPILE_IFELSE([AC_LANG_SOURCE([[int wavecast_probe;]])],
        [AC_MSG_RESULT([yes])
         $1="$$1 $wavecast_flag"],
        [AC_MSG_RESULT([no])])
done
CFLAGS=$wavecast_save_CFLAGS
AC_SUBST([$1])])

# WAVECAST_ENABLE(NAME, WHAT)
# Declares --enable-NAME, off by default; the answer is in enable_NAME.
AC_DEFUN([WAVECAST_ENABLE], [
AC_ARG_ENABLE([$1], [AS_HELP_STRING([--enable-$1], [$2 [no]])], [], [enable_$1=no])])

# WAVECAST_REQUIRE_LINK(FLAGS, WHAT)
# Stops unless a program can be linked with FLAGS.
AC_DEFUN([WAVECAST_REQUIRE_LINK], [
wavecast_save_CFLAGS=$CFLAGS
CFLAGS="$CFLAGS $1"
AC_MSG_CHECKING([whether $CC can link with $2])
AC_LINK_IFELSE([AC_LANG_PROGRAM()],
    [AC_MSG_RESULT([yes])],
    [AC_MSG_RESULT([no])
     AC_MSG_ERROR([this compiler cannot build with $2])])
CFLAGS=$wavecast_save_CFLAGS])

# WAVECAST_CHECK_CUDA
# Interprets --with-cuda; sets cuda_headers to yes or no, CUDA_CPPFLAGS and cuda_summary. Nothing
# is compiled against the headers: they serve to check the declarations in kernels/cuda_driver.h.
AC_DEFUN([WAVECAST_CHECK_CUDA], [
AS_CASE([$with_cuda], [auto|yes|no], [],
    [AC_MSG_ERROR([--with-cuda takes auto, yes or no; give directories in CPPFLAGS])])
cuda_headers=no
AS_IF([test "x$with_cuda" != xno], [
    wavecast_save_CPPFLAGS=$CPPFLAGS
    for wavecast_dir in "" "${CUDA_HOME:-/usr/local/cuda}/include" /usr/local/cuda/include; do
        AS_IF([test "x$cuda_headers" = xno], [
            CUDA_CPPFLAGS=${wavecast_dir:+-isystem $wavecast_dir}
            CPPFLAGS="$wavecast_save_CPPFLAGS $CUDA_CPPFLAGS"
            AC_MSG_CHECKING([for cuda.h${wavecast_dir:+ in $wavecast_dir}])
            AC_PREPROC_IFELSE([AC_LANG_SOURCE([[#include <cuda.h>]])], [cuda_headers=yes])
            AC_MSG_RESULT([$cuda_headers])])
    done
    CPPFLAGS=$wavecast_save_CPPFLAGS])
AS_IF([test "x$with_cuda:$cuda_headers" = xyes:no],
    [AC_MSG_ERROR([--with-cuda=yes, but cuda.h was not found; give its directory in CPPFLAGS])])
AS_CASE([$with_cuda:$cuda_headers],
    [no:*], [cuda_summary="not looked for (--with-cuda=no); GPUs are used at run time all the same"],
    [*:yes], [cuda_summary="found; make check holds our declarations against them"],
    [cuda_summary="not found; only a check of the test suite needs them"])
AC_SUBST([cuda_headers])
AC_SUBST([CUDA_CPPFLAGS])])
