# SPDX-License-Identifier: MIT
# What the tests of real packages share: to be sourced.  A case is a program
# whose output and status are the same each time.  It is run four ways at
# once, each in a directory of its own: natively, passive, with rules armed
# that never match, and recorded.
# SEAM_TEST_PACKAGES=long asks for the long forms, which take half an hour.
: "${SEAM_PRELOAD:?}" "${SEAM_COMMAND:?}" "${SEAM_TEST_PROGRAMS:?}" \
    "${SEAM_SOURCE:?}"
cases=$SEAM_SOURCE/tests/packages
long=no
[ "${SEAM_TEST_PACKAGES-}" != long ] || long=yes
limit=250
[ "$long" = no ] || limit=900
LC_ALL=C
TZ=UTC
# Debian's programs, and not what else may have their names.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL TZ PATH
unset LD_PRELOAD SEAM_SOCKET SEAM_JOIN UNDER PYTHONPATH
work=$(mktemp -d "${TMPDIR:-/tmp}/seam-packages.XXXXXX") || exit 1
number=0
ways='native passive armed recorded'
inner=no

# marked DIRECTORY: who was started by a case there; daemons forget their
# parents, but not their environment
marked()
{
	{
		grep -alsF "SEAM_PACKAGES=$1" /proc/[0-9]*/environ
		# redis-server writes its title over the environment.
		echo "$1/" | grep -alsF -f - /proc/[0-9]*/cmdline
	} | sort -u |
	    sed 's/[^0-9]//g'
}

leave()
{
	for pid in $(marked "$work"); do
		kill -9 "$pid" 2>/dev/null
	done
	rm -rf "$work"
}
trap leave EXIT
trap 'exit 1' HUP INT TERM
cd "$work" || exit 1
# For programs that change to another user.
chmod 711 .

cat >armed.seam <<'END'
watch on
pause any thread=nobody-is-named-so
pause any thread=nobody-is-named-so when=after
fail any thread=nobody-is-named-so errno=EIO
pause any hit=1000000000 proc=P9
END

# report STATUS WHAT: one line of TAP; ./log has more
report()
{
	number=$((number + 1))
	if [ "$1" = 0 ]; then
		echo "ok $number - $2"
	else
		head -n 100 log | sed 's/^/# /'
		echo "not ok $number - $2"
	fi
}

# skip COUNT WHAT WHY
skip()
{
	for _ in $(seq "$1"); do
		number=$((number + 1))
		echo "ok $number - $2 # SKIP $3"
	done
}

# present PROGRAM...: scripts/test has them; elsewhere some may be missing
present()
{
	for program; do
		command -v "$program" >/dev/null && continue
		[ -z "${SEAM_TEST_ALL-}" ] || {
			echo "Bail out! $program: needed, see scripts/deps"
			exit 1
		}
		return 1
	done
}

# The words that put a command under seam.
prefix()
{
	case $1 in
	native) ;;
	passive) echo "$SEAM_COMMAND run --" ;;
	armed) echo "$SEAM_COMMAND run -x $work/armed.seam --" ;;
	recorded) echo "$SEAM_COMMAND trace -o ../trace --" ;;
	esac
}

# one WAY COMMAND...: what comes of it is in $case/WAY
one()
{
	way=$1
	shift
	SEAM_PACKAGES=$case/$way
	XDG_RUNTIME_DIR=$SEAM_PACKAGES/run
	TMPDIR=$SEAM_PACKAGES/tmp
	HOME=$SEAM_PACKAGES/in
	export SEAM_PACKAGES XDG_RUNTIME_DIR TMPDIR HOME
	mkdir -p "$XDG_RUNTIME_DIR" "$TMPDIR" "$HOME"
	chmod 711 "$case" "$SEAM_PACKAGES" "$HOME"
	cd "$HOME" || return
	if [ "$inner" = yes ]; then
		UNDER=$(prefix "$way") timeout -k 10 "$limit" "$@"
	else
		# shellcheck disable=SC2046
		timeout -k 10 "$limit" $(prefix "$way") "$@"
	fi >../out 2>../err </dev/null
	echo "status $?" >>../out
}

# nothing_left WAY: no process, socket or scratch directory
nothing_left()
{
	until=$(($(date +%s) + 30))
	while pids=$(marked "$case/$1"); [ -n "$pids" ]; do
		[ "$(date +%s)" -lt "$until" ] || break
	done
	[ -z "$pids" ] || {
		echo 'left running:'
		echo "$pids" | xargs ps -o pid,ppid,stat,args -p
		return 1
	}
	left=$(find "$case/$1/run" "$case/$1/tmp" -mindepth 1)
	[ -z "$left" ] || { echo "left behind: $left"; return 1; }
}

# natively STATUS
natively()
{
	[ "$(tail -n 1 "$case/native/out")" = "status $1" ] || {
		tail -n 50 "$case/native/out" "$case/native/err"
		return 1
	}
	nothing_left native
}

# What is not said natively, though nothing is wrong: reports of processes
# whose end their parent expects.
without_reports()
{
	grep -vE '^seam: (P[0-9.]+ (died by SIG|called _exit )|[0-9]+ events were lost$)'
}

# like_native WAY: several programs write to standard error, in any order
like_native()
{
	diff "$case/native/out" "$case/$1/out" &&
	    sort "$case/native/err" >want &&
	    without_reports <"$case/$1/err" | sort >have && diff want have &&
	    nothing_left "$1"
}

# A recording has what threads did, up to the end, or says what is missing.
recorded()
{
	lost=$(sed -n 's/^seam: \([0-9]*\) events were lost$/\1/p' \
	    "$case/recorded/err")
	[ -z "$lost" ] || echo "# $what: $lost events lost, and seam says so"
	like_native recorded && [ -s "$case/recorded/trace" ]
}

# transparent WHAT STATUS COMMAND...: four lines of TAP
transparent()
{
	what=$1 status=$2
	shift 2
	case=$work/case.$number
	for way in $ways; do
		one "$way" "$@" &
	done
	wait
	natively "$status" >log 2>&1
	report $? "$what: natively"
	for way in passive armed; do
		like_native "$way" >log 2>&1
		report $? "$what: $way"
	done
	recorded >log 2>&1
	report $? "$what: recorded"
}

# transparent_inside WHAT STATUS COMMAND...: only what it puts behind $UNDER
transparent_inside()
{
	inner=yes
	transparent "$@"
	inner=no
}
