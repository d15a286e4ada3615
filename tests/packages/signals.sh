#!/bin/sh
# SPDX-License-Identifier: MIT
# Statuses as a shell sees them, of what exits, what signals end, and what
# catches them; $UNDER leads to each.
# shellcheck disable=SC2086
# The shell's own words about a death would be natively only.
exec 2>/dev/null
ulimit -c 0
for status in 0 1 2 3 77 127 255; do
	$UNDER sh -c "exit $status"
	echo "exit $status: $?"
done
for signal in HUP INT QUIT ABRT KILL SEGV PIPE ALRM TERM USR1 USR2 RTMIN; do
	$UNDER sh -c "kill -s $signal \$\$"
	echo "$signal: $?"
	# Ignored, it stays so behind exec.
	(trap '' "$signal"; $UNDER sh -c "kill -s $signal \$\$; exit 5")
	echo "$signal, ignored: $?"
done
# Sent to what the shell knows; a target hears of it.
for signal in HUP TERM USR1 USR2; do
	rm -f ready
	$UNDER sh -c "trap 'echo caught $signal; exit 9' $signal
		: >ready; while :; do :; done" &
	until [ -e ready ]; do :; done
	kill -s "$signal" $!
	wait $!
	echo "$signal, caught: $?"
	rm -f ready
	$UNDER sh -c ': >ready; while :; do :; done' &
	until [ -e ready ]; do :; done
	kill -s "$signal" $!
	wait $!
	echo "$signal, sent: $?"
done
# A child's death is its parent's to know.
$UNDER sh -c 'sh -c "kill -s SEGV \$\$"; echo "child: $?"; exit 4'
echo "parent: $?"
$UNDER python3 -c '
import os, signal, subprocess, threading
print(subprocess.run(["sh", "-c", "kill -s USR2 $$"]).returncode, flush=True)
pid = os.fork()
if not pid:
    threading.Thread(target=os.abort).start()
    signal.pause()
print(os.WTERMSIG(os.waitpid(pid, 0)[1]), flush=True)
# Asked for by a thread that is not the first.
threading.Thread(target=os.kill, args=(os.getpid(), signal.SIGALRM)).start()
signal.pause()
'
echo "python3: $?"
