# SPDX-License-Identifier: MIT
"""growth.py GROWTH LIMITS: how cost grows with rules, objects, threads and
processes, as rows of a table.  GROWTH and LIMITS are programs."""
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

COMMAND = os.environ["SEAM_COMMAND"]
PRELOAD = os.environ["SEAM_PRELOAD"]
growth, limits = sys.argv[1:]


class Session:
    def __enter__(self):
        self.dir = tempfile.mkdtemp(prefix="seam-growth.")
        path = os.path.join(self.dir, "s")
        self.server = subprocess.Popen([COMMAND, "serve", "-S", path])
        self.link = socket.socket(socket.AF_UNIX)
        until = time.monotonic() + 20
        while self.link.connect_ex(path):
            if time.monotonic() > until:
                raise RuntimeError("the server does not answer")
            time.sleep(0.01)
        self.file = self.link.makefile("r")
        self.env = dict(os.environ, LD_PRELOAD=PRELOAD, SEAM_SOCKET=path)
        return self

    def __exit__(self, *_):
        self.link.close()
        self.server.terminate()
        self.server.wait()
        shutil.rmtree(self.dir)

    def say(self, *commands):
        """All at once; the seconds until the last reply."""
        text = "".join(c + "\n" for c in commands).encode()
        begun = time.monotonic()
        sender = threading.Thread(target=self.link.sendall, args=(text,))
        sender.start()
        for command in commands:
            line = " "
            while not line.startswith(("ok", "err")):
                line = self.file.readline()
                if not line:
                    raise RuntimeError("%s: no reply" % command)
            if line.startswith("err"):
                raise RuntimeError("%s: %s" % (command, line))
        sender.join()
        return time.monotonic() - begun

    def start(self, *argv):
        return subprocess.Popen(argv, env=self.env, text=True,
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def row(what, n, cost, unit, base, target=None):
    """base: what it costs with the fewest."""
    ratio = cost / base
    verdict = ""
    if target:
        verdict = "met" if ratio <= target else \
            "**missed** by %.0f %%" % ((ratio / target - 1) * 100)
    print("| growth: %s, %s | %.2f %s | %.2f %s | %.2f | %s | %s |" % (
        what, f"{n:,}", cost, unit, base, unit, ratio,
        "≤ %.2f" % target if target else "", verdict), flush=True)


def pair(program):
    program.stdin.write("\n")
    program.stdin.flush()
    hooked, native = map(float, program.stdout.readline().split())
    return hooked, hooked / native


def rules():
    pairs, arms = [], []
    with Session() as s:
        program = s.start(growth, "1")
        program.stdout.readline()
        # Symbols are read once.
        s.say("pause mutex.lock obj=own as=first", "delete first")
        armed = 0
        for n in (0, 64, 1000, 10000):
            new = ["pause mutex.lock obj=@0x%x" % (0x10000000 + 64 * i)
                   for i in range(armed, n)]
            took = s.say(*new) if new else 0
            pairs.append((n, pair(program)[1]))
            if new:
                arms.append((n, took / len(new) * 1e6))
            armed = n
        program.kill()
        program.wait()
    for n, ratio in pairs:
        row("mutex pair to native, rules for other objects", n, ratio, "",
            pairs[0][1], 1.25)
    for n, cost in arms:
        row("a `pause` more, up to so many rules", n, cost, "µs", arms[0][1])


def objects():
    costs = []
    for n in (1, 1000, 100000):
        with Session() as s:
            s.say("watch on")
            program = s.start(growth, str(n))
            program.stdout.readline()
            costs.append((n, *pair(program)))
            program.kill()
            program.wait()
    for n, cost, _ in costs:
        row("mutex pair, watched, all objects in turn", n, cost, "ns",
            costs[0][1])
    for n, _, ratio in costs:
        row("the same to native", n, ratio, "", costs[0][2])


def threads():
    costs = []
    # With fewer, one more reply and the wake of an idle core are all there is.
    for n in (100, 1000):
        took = []
        for _ in range(5 if n < 1000 else 1):
            with Session() as s:
                s.say("pause mutex.lock obj=common_lock as=c")
                program = s.start(limits, "threads", str(n))
                s.say(*["wait c timeout=60000"] * n)
                took.append(s.say(*["release P1.T0.%d" % (i + 1)
                                    for i in range(n)], "threads") / n)
                program.wait()
        costs.append((n, statistics.median(took) * 1e6))
    for n, cost in costs:
        row("a release and its row of `threads`, parked threads", n, cost,
            "µs", costs[0][1])


def processes():
    costs = []
    for n in (1, 10, 200):
        with Session() as s:
            s.say("pause mutex.lock obj=end_lock as=e")
            program = s.start(limits, "processes", str(n))
            s.say("wait e timeout=60000")
            cycle = ["pause mutex.lock obj=common_lock as=c", "delete c"]
            costs.append((n, s.say(*cycle * 20) / 20 * 1e6))
            s.say("release e")
            program.wait()
    for n, cost in costs:
        row("`pause` and `delete`, processes", n, cost, "µs", costs[0][1])


rules()
objects()
threads()
processes()
