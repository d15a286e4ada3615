# SPDX-License-Identifier: MIT
# What the tests of `seam explore` in the shell share: to be sourced.
: "${SEAM_PRELOAD:?}" "${SEAM_COMMAND:?}" "${SEAM_TEST_PROGRAMS:?}"
SEAM=$SEAM_COMMAND
programs=$SEAM_TEST_PROGRAMS/explore
LC_ALL=C
export LC_ALL
unset LD_PRELOAD SEAM_SOCKET COLUMNS NO_COLOR
work=$(mktemp -d "${TMPDIR:-/tmp}/seam-exploring-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
cd "$work" || exit 1
mkdir tmp
TMPDIR=$work/tmp
export TMPDIR
number=0

# check WHAT COMMAND...: one line of TAP
check()
{
	what=$1
	shift
	number=$((number + 1))
	if "$@" >log 2>&1; then
		echo "ok $number - $what"
	else
		sed 's/^/# /' log
		echo "not ok $number - $what"
	fi
}

skip()
{
	number=$((number + 1))
	echo "ok $number - $1 # SKIP $2"
}

# gives STATUS COMMAND...: exits so; what it says is in ./said then
gives()
{
	status=$1
	shift
	"$@" >said 2>&1
	got=$?
	cat said
	[ "$got" = "$status" ] || { echo "status $got"; false; }
}

# says TEXT...: all of them
says()
{
	for text; do
		grep -q -e "$text" said || { echo "not said: $text"; return 1; }
	done
}

# needs WHAT: scripts/test has it; elsewhere the test is skipped
needs()
{
	if [ -n "${SEAM_TEST_ALL-}" ]; then
		echo "Bail out! $1: needed, see scripts/deps"
		exit 1
	fi
	echo "1..0 # SKIP without $1"
	exit 0
}

# C++ programs are there only if the compiler is.
present()
{
	[ -x "$programs/$1" ] || [ ! -e "$SEAM_SOURCE/tests/programs/explore/$1.cc" ]
}
