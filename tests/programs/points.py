#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""points.py: the thread "worker" is at the point "between" while the main
thread goes on; without seam nothing happens there."""
import ctypes
import threading

point = getattr(ctypes.CDLL(None), "seam_point", None)
passed = threading.Event()


def work():
    if point:
        point(b"between")
    passed.set()


worker = threading.Thread(target=work)
worker.start()
if point:
    print("main goes on", flush=True)
worker.join()
print("passed", passed.is_set(), flush=True)
