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
# Interprets --with-cuda; sets the conditional WITH_CUDA and cuda_summary.
AC_DEFUN([WAVECAST_CHECK_CUDA], [
AS_CASE([$with_cuda], [auto|yes|no], [],
    [AC_MSG_ERROR([--with-cuda takes auto, yes or no; give directories in CPPFLAGS])])
cuda_headers=no
AS_IF([test "x$with_cuda" != xno],
    [cuda_headers=yes
     AC_CHECK_HEADERS([cuda.h nvrtc.h], [], [cuda_headers=no])])
AS_IF([test "x$with_cuda:$cuda_headers" = xyes:no],
    [AC_MSG_ERROR([--with-cuda=yes, but cuda.h and nvrtc.h were not found; give their directory in CPPFLAGS])])
AS_CASE([$with_cuda:$cuda_headers],
    [no:*], [cuda_summary="not looked for (--with-cuda=no)"],
    [*:yes], [cuda_summary="found; reserved for kernels/, this release builds nothing with them"],
    [cuda_summary="not found; nothing in this release needs them"])
AM_CONDITIONAL([WITH_CUDA], [test "x$cuda_headers" = xyes])])
