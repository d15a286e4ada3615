#!/bin/sh
# SPDX-License-Identifier: MIT
# Compares what libseam.so exports with ops.def, and ops.def with libc: a
# function that libc has and that belongs beside a wrapped one must be wrapped
# too, or stand in the list of exceptions below with its reason.  Speaks TAP.
#
# usage: audit_exports.sh libseam.so ops.def [libc.so.6]
#
# Of libc, only names that new programs can be linked to are looked at: no
# compatibility versions (name@VERSION), no aliases that begin with __.

set -u
export LC_ALL=C

if [ $# -lt 2 ]; then
	echo "usage: $0 libseam.so ops.def [libc.so.6]" >&2
	exit 2
fi
so=$1 ops=$2
libc=${3-$(ldd "$so" | awk '$1 == "libc.so.6" { print $3 }')}
for file in "$so" "$ops" "$libc"; do
	if [ ! -r "$file" ]; then
		echo "Bail out! cannot read '$file'"
		exit 1
	fi
done

tmp=$(mktemp -d "${TMPDIR:-/tmp}/seam-audit.XXXXXX") || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

# Families of libc: every function in them wants to be wrapped.
cat >"$tmp/families" <<'EOF'
pthread_(mutex|rwlock|spin|cond|barrier)_.*
pthread_(once|create|detach|exit|cancel|setname_np|[a-z]*join[a-z_]*)
(mtx|cnd|thrd|sem)_.*
call_once
(fcntl|lockf|flock)[0-9a-z_]*
close(64|from|_.*)?|dup[0-9]*|fclose.*|fcloseall|freopen.*|pclose
syscall
_?[Ff]ork.*|vfork|daemon|forkpty
f?exec(v|l)[a-z]*
(posix_spawn|pidfd_spawn).*
system|popen
dlm?open
EOF

# What is not wrapped, and why.
cat >"$tmp/exceptions" <<'EOF'
pthread_mutex_[gs]etprioceiling	attributes; nobody waits for the ceiling
sem_getvalue	looks, changes nothing
thrd_(current|equal|sleep|yield)	neither objects nor ends of threads
dup	makes a descriptor, closes none
flockfile	stdio's own lock, invisible inside libc anyhow
vfork	its frame would be gone; children are known by their pid
posix_spawn(attr|_file_actions)_.*	descriptions for posix_spawn
pidfd_spawn.*	glibc 2.39; the build's floor is 2.36
fcloseall	called on the way out, where closing is implied
pclose	closes a pipe, which has no locks
dlmopen	its objects bind to a libc of their own: out of reach
EOF

# Everything defined in a dynamic symbol table: name, type, visibility.
symbols() {
	readelf --dyn-syms -W "$1" |
	    awk '$1 ~ /^[0-9]+:$/ && $7 != "UND" && $5 != "LOCAL" && $8 != "" {
		print $8, $4, $6 }'
}

symbols "$so" >"$tmp/ours"
symbols "$libc" |
    awk '$2 == "FUNC" || $2 == "IFUNC" { print $1 }' |
    awk -F@ '$0 !~ /[^@]@[^@]/ { print $1 }' | sort -u >"$tmp/libc"
awk -F'[(,]' '/^FN\(/ { print $2 }' "$ops" | sort -u >"$tmp/wrapped"

echo 1..4
number=0 failed=0

# verdict DESCRIPTION FILE: the file lists what is wrong.
verdict() {
	number=$((number + 1))
	if [ -s "$2" ]; then
		failed=1
		echo "not ok $number - $1"
		sed 's/^/# /' "$2"
	else
		echo "ok $number - $1"
	fi
}

awk 'NR == FNR { type[$1] = $2; vis[$1] = $3; next }
    !($1 in type) {
	for (s in type)
		if (index(s, $1 "@") == 1)
			versioned = s
	print $1 ": " (versioned ? "versioned: " versioned : "not exported")
	versioned = ""
	next
    }
    type[$1] != "FUNC" { print $1 ": type " type[$1] }
    vis[$1] != "DEFAULT" { print $1 ": visibility " vis[$1] }' \
    "$tmp/ours" "$tmp/wrapped" >"$tmp/missing"
verdict "each of the $(wc -l <"$tmp/wrapped") functions of ops.def is \
exported, unversioned" "$tmp/missing"

awk 'NR == FNR { known[$1]; next }
    $1 == "seam_point" || $1 == "seam_name" { found++; next }
    !($1 in known) { print $1 ": exported, but not in ops.def" }
    END { if (found != 2) print "seam_point and seam_name: not both there" }' \
    "$tmp/wrapped" "$tmp/ours" >"$tmp/extra"
verdict "nothing else is, but seam_point and seam_name" "$tmp/extra"

awk '{ print $1 }' "$tmp/ours" >"$tmp/names"
awk -v ops="$ops" 'NR == FNR { libc[$1]; next }
    !($1 in libc) && $1 !~ /^__cxa_/ { print $1 ": not a function of libc" }' \
    "$tmp/libc" "$tmp/wrapped" >"$tmp/unknown"
verdict "libc has them all" "$tmp/unknown"

# A sibling is in one of the families, or differs from a wrapped name only by
# 64, _np, try, timed or clock.
awk -v families="$tmp/families" -v exceptions="$tmp/exceptions" '
function stem(name) {
	sub(/64$/, "", name)
	sub(/_np$/, "", name)
	gsub(/try|timed|clock/, "", name)
	return name
}
function in_list(name, list, n,    i) {
	for (i = 1; i <= n; i++)
		if (name ~ "^(" list[i] ")$")
			return 1
	return 0
}
BEGIN {
	while ((getline line < families) > 0)
		family[++nf] = line
	while ((getline line < exceptions) > 0) {
		split(line, part, "\t")
		exception[++ne] = part[1]
	}
}
NR == FNR { wrapped[$1]; stems[stem($1)] = $1; next }
$1 in wrapped || $1 ~ /^__/ || in_list($1, exception, ne) { next }
in_list($1, family, nf) { print $1 ": in libc, not wrapped"; next }
stem($1) in stems { print $1 ": not wrapped, but " stems[stem($1)] " is" }
' "$tmp/wrapped" "$tmp/libc" >"$tmp/siblings"
verdict "no sibling in libc was forgotten" "$tmp/siblings"

exit $failed
