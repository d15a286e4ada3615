# SPDX-License-Identifier: MIT
"""gdb's figure for a pause: a breakpoint on take(), resumed at once.

    gdb -batch -x bench/gdb_pause.py --args bench/victim TURNS

Prints `gdb HOW CORES MICROSECONDS` for two ways of resuming and two ways of
placing gdb and its inferior:
    stop      a Python stop() that returns False: gdb goes on by itself
    continue  gdb stops, and a Python loop says `continue`
"""
import os
import time

import gdb

STOPS = 1000
LOOPS = 200


class Counting(gdb.Breakpoint):
    """Counts; lets itself be ended after the last one."""

    def __init__(self, most):
        super().__init__("take", internal=True)
        self.silent = True
        self.times = []
        self.most = most

    def stop(self):
        self.times.append(time.perf_counter())
        return len(self.times) > self.most


def median_gap(times):
    gaps = sorted(b - a for a, b in zip(times, times[1:]))
    return gaps[len(gaps) // 2] * 1e6


def start():
    """Starts the inferior and stops it in main."""
    gdb.execute("start", to_string=True)


def place(cpus, two):
    """gdb on the first processor, every thread of the inferior there too, or
    on the last one."""
    pid = gdb.selected_inferior().pid
    where = {cpus[-1] if two else cpus[0]}
    for task in os.listdir("/proc/%d/task" % pid):
        os.sched_setaffinity(int(task), where)
    for task in os.listdir("/proc/self/task"):
        os.sched_setaffinity(int(task), {cpus[0]})


def by_stop():
    point = Counting(STOPS)
    gdb.execute("continue", to_string=True)
    times = point.times
    point.delete()
    return median_gap(times)


def by_continue():
    point = gdb.Breakpoint("take", internal=True)
    point.silent = True
    times = []
    for _ in range(LOOPS):
        gdb.execute("continue", to_string=True)
        times.append(time.perf_counter())
    point.delete()
    return median_gap(times)


def main():
    cpus = sorted(os.sched_getaffinity(0))
    gdb.execute("set pagination off")
    gdb.execute("set confirm off")
    gdb.execute("set debuginfod enabled off")
    for two in (False, True):
        start()
        place(cpus, two)
        cores = "two" if two else "same"
        print("gdb stop %s %.1f" % (cores, by_stop()), flush=True)
        print("gdb continue %s %.1f" % (cores, by_continue()), flush=True)
        gdb.execute("kill")


try:
    main()
except gdb.error as e:
    print("gdb_pause.py: %s" % e, flush=True)
    gdb.execute("quit 1")
