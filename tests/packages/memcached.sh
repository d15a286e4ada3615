#!/bin/sh
# SPDX-License-Identifier: MIT
# memcached under its own load generator, behind a Unix socket, and what is in
# it after clients have worked on the same keys at once.
# usage: memcached.sh LOAD [daemon]
set -u
exec 2>&1
load=$1 how=${2-}
dir=$TMPDIR/sockets
mkdir "$dir"
socket=$dir/s
under=${UNDER-}
if [ "$(id -u)" = 0 ]; then
	options='-u nobody'
	chown nobody "$dir"
fi
# shellcheck disable=SC2086
if [ "$how" = daemon ]; then
	$under memcached -d -P "$dir/pid" ${options-} -t 4 -s "$socket" -m 256
	echo "started: $?"
	until [ -s "$dir/pid" ]; do :; done
	server=$(cat "$dir/pid")
else
	$under memcached ${options-} -t 4 -s "$socket" -m 256 &
	server=$!
fi
until [ -S "$socket" ]; do :; done
for test in set get mget; do
	memcslap --servers="$socket" --concurrency=8 --test=$test \
	    --execute-number="$load" --flush |
	    sed 's/:.*seconds.*//; /^-/d'
	echo "$test: $?"
done
python3 "$SEAM_SOURCE/tests/packages/memcached.py" "$socket" "$load"
echo "clients: $?"
kill -TERM "$server"
if [ "$how" = daemon ]; then
	while kill -0 "$server" 2>/dev/null; do :; done
else
	wait "$server"
	echo "server: $?"
fi
rm -rf "$dir"
