#!/bin/sh
# SPDX-License-Identifier: MIT
# There and back with two threads: what is in between is the same, too.
# usage: compress.sh LINES
set -eu
exec 2>&1
awk -v lines="$1" 'BEGIN {
	x = 1
	for (n = 0; n < lines; n++) {
		x = (x * 16807) % 2147483647
		printf "%d the %x thread took lock %d\n", n, x, x % 97
	}
}' >data
# pigz writes that down.
touch -d @1700000000 data
trip()
{
	echo "$*"
	"$@" <data >packed
	sha256sum <packed
	case $1 in
	xz) "$1" -T2 -dc <packed ;;
	*) "$1" -dc <packed ;;
	esac | cmp - data
	# Cut short, it is refused.
	head -c 3000 packed >short
	"$1" -dc <short >/dev/null 2>&1 || echo "cut: status $?"
}
trip xz -T2 -1 --block-size=256KiB -c
trip pigz -p2 -b128 -c
trip pbzip2 -p2 -b1 -c
trip zstd -T2 -3 -q -c
# A reader that goes away: SIGPIPE tells the writer.
{ pigz -p2 -c <data || echo "pigz: $?" >ended; } | head -c 1000 | sha256sum
{ xz -T2 -0 -c <data || echo "xz: $?" >>ended; } | head -c 1000 | sha256sum
cat ended
