#!/bin/sh
# SPDX-License-Identifier: MIT
# Two sqlite3 processes that each read, then write: in most orders both do, in
# some one is refused, as both hold the lock that the other one's write needs.
#
#	seam explore --scratch \
#	    --reset 'rm -f t.db*; sqlite3 t.db "create table t(x)"' \
#	    -- ./two_writers.sh
change="begin; select count(*) from t; insert into t values(1); commit;"
sqlite3 t.db "$change" & first=$!
sqlite3 t.db "$change" & second=$!
wait $first || exit
wait $second
