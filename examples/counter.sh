#!/bin/sh
# counter.sh DIRECTORY: the racy and the atomic counter, each called five
# times at once; prints what they come to.  The gate of the racy one is its
# first write: by then all five have read.
cd "$1" || exit 2
here=${2:-.}
for kind in racy atomic; do
	rm -f counter.db
	sqlite3 counter.db 'create table counter(n); insert into counter values(0)'
	case $kind in
	racy) at='fcntl.setlk path=*counter.db mode=wr' ;;
	atomic) at='thread.start' ;;
	esac
	"${SEAM_COMMAND:-seam}" call -n 5 --at "$at" -- \
	    sh "$here/counter_$kind.sh" counter.db >calls.out || exit 1
	echo "$kind: $(sqlite3 counter.db 'select n from counter')"
done
