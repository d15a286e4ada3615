#!/bin/sh
# SPDX-License-Identifier: MIT
# Statements of sqlite3 over two connections to one database file: two
# processes at once, and one that has both.  Each writes rows of its own, so
# that what is in the file at the end does not depend on who came first.
# usage: sqlite.sh JOURNAL-MODE STATEMENTS
set -eu
mode=$1 number=$2
unset SQLITE_HISTORY
exec 2>&1

sqlite3 -batch -bail t.db "PRAGMA journal_mode=$mode;
CREATE TABLE t(who, i, v, PRIMARY KEY(who, i)) WITHOUT ROWID;
CREATE TABLE log(who PRIMARY KEY, n INTEGER);
INSERT INTO log VALUES ('a', 0), ('b', 0), ('c', 0), ('d', 0);"

# statements WHO COUNT
statements()
{
	awk -v who="'$1'" -v count="$2" 'BEGIN {
		for (n = 0; n < count; n += 10) {
			print "INSERT INTO t VALUES (" who "," n ",hex(" n "*7));"
			print "UPDATE log SET n=n+1 WHERE who=" who ";"
			print "BEGIN IMMEDIATE;"
			print "INSERT INTO t VALUES (" who "," n + 1 ",\"x\");"
			print "UPDATE t SET v=v||i WHERE who=" who " AND i=" n ";"
			print "UPDATE log SET n=n+1 WHERE who=" who ";"
			print "COMMIT;"
			print "DELETE FROM t WHERE who=" who " AND i=" n - 40 ";"
			print "SELECT n FROM log WHERE who=" who ";"
			print "SELECT count(*),max(v) FROM t WHERE who=" who ";"
		}
	}'
}

begin='.timeout 250000
PRAGMA synchronous=off;'
for who in a b; do
	{ echo "$begin"; statements $who $((number * 3 / 10)); } |
	    sqlite3 -batch t.db >$who.out || echo "$who: $?" &
done
wait
cat a.out b.out

# One process: what the second wants while the first writes is refused.
{
	printf '.connection 1\n.open t.db\nPRAGMA synchronous=off;\n'
	printf '.connection 0\n'
	echo "$begin"
	statements c $((number * 4 / 10)) | awk '
		/BEGIN/ { locked = 1 }
		{ print }
		NR % 200 == 4 {
			print ".connection 1"
			print "SELECT n FROM log WHERE who=\"d\";"
			print "UPDATE log SET n=n+1 WHERE who=\"d\";"
			print ".connection 0"
		}
		NR % 200 == 8 {
			print ".connection 1"
			print "UPDATE log SET n=n+1 WHERE who=\"d\";"
			print ".connection 0"
		}'
} | sqlite3 -batch t.db || echo "c: $?"
sqlite3 -batch t.db 'PRAGMA integrity_check' 'PRAGMA journal_mode' .dump
ls
