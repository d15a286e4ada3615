#!/bin/sh
# SPDX-License-Identifier: MIT
# redis-server under its own load generator, with threads for its input and
# output, while it forks to save and to rewrite its log; then the data, the
# same after a restart.
# usage: redis.sh LOAD
set -u
exec 2>&1
load=$1
dir=$TMPDIR/redis
mkdir "$dir"
under=${UNDER-}
cat >redis.conf <<END
port 0
unixsocket $dir/s
dir $dir
io-threads 2
io-threads-do-reads yes
appendonly yes
appendfsync no
auto-aof-rewrite-percentage 0
save ""
enable-debug-command local
logfile $dir/log
END
ask()
{
	redis-cli -s "$dir/s" "$@"
}

start()
{
	# shellcheck disable=SC2086
	$under redis-server "$PWD/redis.conf" &
	server=$!
	until [ "$(ask ping 2>/dev/null)" = PONG ]; do :; done
}

# settle WORD: until nothing of that kind is going on
settle()
{
	while ask info persistence | grep -q "^$1:1"; do :; done
}

# bench ARGUMENT...: a client that is refused says so
bench()
{
	redis-benchmark -s "$dir/s" -n "$load" -c 20 -q "$@" |
	    tr '\r' '\n' | grep -iE 'error|refused|reset'
}

data()
{
	ask dbsize
	ask debug digest
}

# Errors of clients are counted by the server, too.
state()
{
	ask info stats | tr -d '\r' |
	    grep -E '^(rejected_connections|total_error_replies):'
	ask info persistence | tr -d '\r' |
	    grep -E '^(aof_last|rdb_last)[a-z_]*status:'
}

start
bench -P 8 --threads 2 -t set,get &
clients=$!
bench incr shared &
clients="$clients $!"
ask bgsave
settle rdb_bgsave_in_progress
ask bgrewriteaof
bench lpush list x &
clients="$clients $!"
settle aof_rewrite_in_progress
# shellcheck disable=SC2086
wait $clients
ask get shared
ask llen list
ask eval 'for i = 1, 5000 do redis.call("hset", "h" .. i % 10, i, i * i) end
    return redis.call("hlen", "h3")' 0
ask bgrewriteaof
settle aof_rewrite_in_progress
settle aof_rewrite_scheduled
data | tee before
state
kill -TERM "$server"
wait "$server"
echo "server: $?"
start
data | diff before - && echo 'as before'
kill -TERM "$server"
wait "$server"
echo "server: $?"
grep -iE 'crash|assert|stack trace' "$dir/log"
rm -rf "$dir"
