# SPDX-License-Identifier: MIT
"""One Python breakpoint on pthread_mutex_lock that does nothing but go on.

    gdb -nx -batch -x bench/gdb_count.py --args PROGRAM ARG...
"""
import gdb


class Nothing(gdb.Breakpoint):
    """Goes on, whoever comes."""

    def stop(self):
        return False


gdb.execute("set breakpoint pending on")
gdb.execute("set print thread-events off")
gdb.execute("handle all nostop noprint pass", to_string=True)
Nothing("pthread_mutex_lock", internal=True)
gdb.execute("run", to_string=True)
