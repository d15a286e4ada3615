#!/bin/sh
# SPDX-License-Identifier: MIT
# pbzip2_site.sh FILE [THREAD [N]]: prints `site pbzip2+0x…`, the call site of
# the N-th pthread_mutex_lock of the THREAD-th thread that main creates (3:
# the first consumer), as the return address.  Debian's pbzip2 is stripped,
# so it is asked of gdb rather than written down.  Calls from elsewhere than
# pbzip2 (a preloaded library's to libc) do not count.
set -eu
export SITE_THREAD=$((${2:-3} + 1)) SITE_HIT="${3:-1}" # gdb's first is main
gdb -nx -batch -q \
    -ex 'set breakpoint pending on' \
    -ex 'set print thread-events off' \
    -ex 'python
import os
class Site(gdb.Breakpoint):
    left = int(os.environ["SITE_HIT"])
    def stop(self):
        self.back = int(gdb.newest_frame().older().pc())
        if gdb.selected_thread().num != int(os.environ["SITE_THREAD"]):
            return False
        if gdb.solib_name(self.back) is not None:
            return False
        self.left -= 1
        return self.left == 0
site = Site("pthread_mutex_lock")' \
    -ex 'run' \
    -ex 'python
maps = gdb.execute("info proc mappings", to_string=True).splitlines()
base = min(int(l.split()[0], 16) for l in maps if l.endswith("/pbzip2"))
print("site pbzip2+0x%x" % (site.back - base))' \
    -ex 'kill' \
    --args pbzip2 -p2 -b1 -k -c "$1" 2>/dev/null </dev/null | grep -a '^site '
