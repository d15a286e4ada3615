#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Pays individuals, one payment at a time; each line of input is a name.

Unmodified but for naming the lock: the address of its semaphore stands
behind the object's head (CPython 3.11 to 3.13).
"""
import ctypes
import sys
import threading

paying = threading.Lock()

seam_name = getattr(ctypes.CDLL(None), "seam_name", None)
if seam_name:
    lock = ctypes.c_void_p.from_address(id(paying) + object.__basicsize__)
    seam_name(lock, b"paying")


def pay_individual(name):
    if not paying.acquire(blocking=False):
        print(f"already paying an individual: {name} is refused", flush=True)
        return
    try:
        print(f"{name} is paid", flush=True)
    finally:
        paying.release()


while line := sys.stdin.readline():
    payer = threading.Thread(target=pay_individual, args=(line.strip(),))
    payer.start()
    payer.join()
