# SPDX-License-Identifier: MIT

# SEAM_NEED(VARIABLE, MODULE, NAME, PACKAGE)
# A pkg-config module, or an error that says which Debian package has it.
AC_DEFUN([SEAM_NEED],
[PKG_CHECK_MODULES([$1], [$2], [],
	[AC_MSG_ERROR([$3 not found: apt-get install $4])])])

# SEAM_NEED_PROG(VARIABLE, PROGRAM, PACKAGE)
AC_DEFUN([SEAM_NEED_PROG],
[AC_CHECK_PROG([$1], [$2], [$2])
AS_IF([test -z "$$1"],
	[AC_MSG_ERROR([$2 not found: apt-get install $3])])])

# SEAM_WARNING(FLAG)
# Appends the flag to WARNINGS when the compiler knows it.
AC_DEFUN([SEAM_WARNING],
[AS_VAR_PUSHDEF([seam_var], [seam_cv_flag_$1])
AC_CACHE_CHECK([whether $CC knows $1], [seam_var],
	[seam_saved_CFLAGS=$CFLAGS
	CFLAGS="-Werror $1"
	AC_COMPILE_IFELSE([AC_LANG_PROGRAM()],
		[AS_VAR_SET([seam_var], [yes])],
		[AS_VAR_SET([seam_var], [no])])
	CFLAGS=$seam_saved_CFLAGS])
AS_VAR_IF([seam_var], [yes], [WARNINGS="$WARNINGS $1"])
AS_VAR_POPDEF([seam_var])])

# SEAM_NEED_HEADER_SYMBOL(HEADER, SYMBOL)
# A macro or a number that the kernel's headers must have.
AC_DEFUN([SEAM_NEED_HEADER_SYMBOL],
[AC_CACHE_CHECK([for $2 in $1], [AS_TR_SH([seam_cv_symbol_$2])],
	[AC_PREPROC_IFELSE([AC_LANG_SOURCE([[
#include <$1>
#ifndef $2
#error missing
#endif
]])],
		[AS_TR_SH([seam_cv_symbol_$2])=yes],
		[AS_TR_SH([seam_cv_symbol_$2])=no])])
AS_IF([test "$AS_TR_SH([seam_cv_symbol_$2])" != yes],
	[AC_MSG_ERROR([<$1> lacks $2: newer kernel headers are needed (apt-get install linux-libc-dev)])])])

# SEAM_CHECK_OPS(TABLE)
# Every function of the table of operations, in the version it names, must be
# in libc: the preload asks for them at run time without probing.  A version
# of "" is for functions that live elsewhere.
AC_DEFUN([SEAM_CHECK_OPS],
[AC_MSG_CHECKING([for the functions of ops.def in libc])
seam_ops=`$SED -n '/^FN(/{
	s/[[[:blank:]]]//g
	s/^FN(\([[[:alnum:]_]]*\),\([[^,]]*\),.*/\1@\2/
	/@""$/d
	s/@NULL$//
	s/"//g
	p
}' "$1"`
AS_IF([test -z "$seam_ops"], [AC_MSG_ERROR([cannot read $1])])
seam_source=
seam_n=0
for seam_op in $seam_ops; do
	SEAM_REFERENCE_OP
done
AC_LINK_IFELSE([AC_LANG_SOURCE([$seam_source
int main(void) { return 0; }])],
	[AC_MSG_RESULT([all there])],
	[seam_missing=
	for seam_op in $seam_ops; do
		seam_source=
		SEAM_REFERENCE_OP
		AC_LINK_IFELSE([AC_LANG_SOURCE([$seam_source
int main(void) { return 0; }])], [],
			[seam_missing="$seam_missing $seam_op"])
	done
	AC_MSG_RESULT([no])
	AC_MSG_ERROR([libc lacks$seam_missing: seam needs glibc 2.36 or newer])])])

# One line of assembly that needs $seam_op, which may be name@VERSION.
AC_DEFUN([SEAM_REFERENCE_OP],
[seam_n=`expr $seam_n + 1`
AS_CASE([$seam_op],
	[*@*], [seam_op_line=".symver seam_$seam_n, $seam_op; .quad seam_$seam_n"],
	[seam_op_line=".quad $seam_op"])
seam_source="$seam_source
__asm__(\".data; $seam_op_line; .text\");"])
