#!/bin/sh
# counter_atomic.sh DATABASE: adds one, in one statement.
sqlite3 "$1" ".timeout 10000" 'update counter set n = n + 1'
