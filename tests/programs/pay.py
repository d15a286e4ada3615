#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""pay.py thread|mp|mp-fork|lockf|flock [FILE]: one payment at a time, or a refusal.

On the N-th line, if it is "pay", a new thread runs pay_individual, which
takes the lock `paying` without waiting, or raises AlreadyPayingIndividual:
"paid N" or "refused N" is printed.  "pay-wait" waits for the lock.  "ticks"
prints "ticks N" when a background thread has counted on, or "stuck N" if it
does not.  "quit" or the end of the input ends it.

The first line tells what to hold: `lock @0x…` (the sem_t of a
threading.Lock), `lock sem:/mp-…`, or `lock file:PATH`.
"""
import ctypes
import fcntl
import multiprocessing
import os
import sys
import threading
import time


class AlreadyPayingIndividual(Exception):
    pass


class FileLock:
    """lockf and flock, with the interface of threading.Lock."""

    def __init__(self, function, path):
        self.function = function
        self.path = path
        self.mine = threading.local()

    def acquire(self, blocking=True):
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        flags = fcntl.LOCK_EX | (0 if blocking else fcntl.LOCK_NB)
        try:
            self.function(fd, flags)
        except BlockingIOError:
            os.close(fd)
            return False
        self.mine.fd = fd
        return True

    def release(self):
        self.function(self.mine.fd, fcntl.LOCK_UN)
        os.close(self.mine.fd)


def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def make_lock(kind, path):
    if kind == "thread":
        lock = threading.Lock()
        # There stands the address of the sem_t (CPython 3.11 to 3.13).
        at = ctypes.c_void_p.from_address(id(lock) + 16).value
        return lock, "@0x%x" % at
    if kind == "mp":
        # The spawn context's: its name stays for the children.
        lock = multiprocessing.get_context("spawn").Lock()
        return lock, "sem:" + lock._semlock.name
    if kind == "mp-fork":
        # The default one: opened, and its name removed at once.
        return multiprocessing.Lock(), "sem:/mp-*"
    function = {"lockf": fcntl.lockf, "flock": fcntl.flock}[kind]
    return FileLock(function, path), "file:" + path


def pay_individual(number, blocking=False):
    if not paying.acquire(blocking):
        raise AlreadyPayingIndividual()
    try:
        say("paid", number)
    finally:
        paying.release()


def pay(number, blocking):
    try:
        pay_individual(number, blocking)
    except AlreadyPayingIndividual:
        say("refused", number)


class Ticker(threading.Thread):
    def __init__(self):
        super().__init__(name="ticker", daemon=True)
        self.ticks = 0

    def run(self):
        while True:
            self.ticks += 1
            time.sleep(0.001)

    def goes_on(self):
        before = self.ticks
        until = time.monotonic() + 2
        while self.ticks < before + 3 and time.monotonic() < until:
            time.sleep(0.001)
        return self.ticks >= before + 3


kind = sys.argv[1] if len(sys.argv) > 1 else "thread"
paying, name = make_lock(kind, sys.argv[2] if len(sys.argv) > 2 else "pay.lock")
ticker = Ticker()
ticker.start()
say("lock", name)
waiting = []
number = 0
# Not `for line in sys.stdin`, which reads ahead.
while True:
    line = sys.stdin.readline()
    command = line.strip()
    if not line or command == "quit":
        break
    number += 1
    if command == "pay":
        payer = threading.Thread(target=pay, args=(number, False), name="payer")
        payer.start()
        payer.join()
    elif command == "pay-wait":
        payer = threading.Thread(target=pay, args=(number, True), name="payer")
        payer.start()
        waiting.append(payer)
    elif command == "ticks":
        say("ticks" if ticker.goes_on() else "stuck", number)
    else:
        say("?", command)
for payer in waiting:
    payer.join()
say("end")
