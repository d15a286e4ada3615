#!/bin/sh
# counter_racy.sh DATABASE: adds one, by reading and writing.
n=$(sqlite3 "$1" 'select n from counter')
sqlite3 "$1" ".timeout 10000" "update counter set n = $((n + 1))"
