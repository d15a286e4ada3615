# SPDX-License-Identifier: MIT
"""clients.py SOCKET CLIENTS ROUNDS SEED: that many clients at once.

Each says commands of all sorts on connections of its own, some of which end
in the middle of a line, of a wait, or of a reply, and looks at each reply.
Then, with all of them at work, the target is killed, with which the session
ends.  What was wrong is printed, a line each, and makes the status 1.
"""
import os
import random
import signal
import socket
import sys
import threading

CODES = {
    "syntax", "unknown-op", "no-such-object", "ambiguous", "no-such-thread",
    "timeout", "gone", "unsupported", "failed",
}
LISTS = ["procs", "threads", "locks", "rules", "stats", "state", "history"]
SELECTORS = [
    "mutex.lock obj=own",
    "mutex.lock obj=own thread=main.T0.1",
    "thread.start",
    "mutex.unlock when=after",
    "mutex.lock at=event_main hit=3",
]

wrong = []
counted = threading.Lock()
replies = 0
ending = False


class Gone(Exception):
    """The server has gone, as it was told to."""


class Client:
    def __init__(self, path, number, seed):
        self.path = path
        self.number = number
        self.random = random.Random(seed * 1000 + number)
        self.serial = 0
        self.file = None
        self.connect()

    def connect(self):
        if self.file:
            self.file.close()
        link = socket.socket(socket.AF_UNIX)
        link.settimeout(60)
        try:
            link.connect(self.path)
        except OSError:
            link.close()
            if ending:
                raise Gone() from None
            raise
        self.file = link.makefile("rwb", buffering=0)
        link.close()

    def say(self, text):
        try:
            self.file.write(text.encode())
        except OSError:
            if ending:
                raise Gone() from None
            raise

    def reply(self):
        """The reply's lines; events and the session's end are no replies."""
        global replies
        lines = []
        while True:
            try:
                line = self.file.readline().decode()
            except ConnectionError:
                line = ""
            if not line:
                if ending:
                    raise Gone()
                raise RuntimeError("no reply; so far: %r" % lines)
            line = line.rstrip("\n")
            if line.startswith("err gone") and ending:
                raise Gone()
            if line.startswith("!"):
                continue
            lines.append(line)
            if line.split(" ")[0] in ("ok", "err"):
                with counted:
                    replies += 1
                return lines
            if not line.startswith(" "):
                raise RuntimeError("neither reply nor row: %r" % line)

    def expect(self, command, *allowed):
        self.say(command + "\n")
        lines = self.reply()
        words = lines[-1].split(" ")
        got = words[0] if words[0] == "ok" else words[1]
        if words[0] == "err" and got not in CODES:
            raise RuntimeError("%s: unknown code: %s" % (command, lines[-1]))
        if got not in allowed:
            raise RuntimeError("%s: %s" % (command, lines[-1]))
        return got, lines

    def list(self):
        what = self.random.choice(LISTS)
        _, lines = self.expect(what, "ok")
        if what in LISTS[:4]:
            rows = max(len(lines) - 2, 0)
            if lines[-1] != "ok rows=%d" % rows:
                raise RuntimeError("%s: %d rows, and %s" %
                                   (what, rows, lines[-1]))

    def rule(self):
        self.serial += 1
        rule = "c%d_%d" % (self.number, self.serial)
        selector = self.random.choice(SELECTORS)
        _, lines = self.expect("pause %s as=%s" % (selector, rule), "ok")
        if lines != ["ok id=" + rule]:
            raise RuntimeError("pause: %r" % lines)
        got, lines = self.expect("wait %s timeout=50" % rule, "ok", "timeout")
        if got == "ok" and not lines[-1].startswith("ok id=%s thread=" % rule):
            raise RuntimeError("wait: %r" % lines)
        self.expect("release " + rule, "ok")
        self.expect("pause %s as=%s" % (selector, rule), "ambiguous")
        self.expect("delete " + rule, "ok")
        self.expect("wait " + rule, "no-such-object")

    def hold(self):
        rule = "h%d" % self.number
        got, _ = self.expect("hold common_lock as=%s timeout=100" % rule,
                             "ok", "timeout", "unsupported")
        if got == "ok":
            self.expect("release " + rule, "ok")
        self.expect("delete " + rule, "no-such-object")

    def events(self):
        self.expect("log mutex.lock hit=5", "ok")
        self.list()
        self.expect("log off", "ok")

    def modes(self):
        self.expect("watch " + self.random.choice(["on", "off"]), "ok")
        self.expect("record on", "ok", "unsupported")
        self.expect("record off", "ok", "unsupported")

    def nonsense(self):
        self.expect("pause mutex.lock obj=", "syntax")
        self.expect("nonsense", "syntax")
        self.expect("release P99.T3", "no-such-object")

    def pipelined(self):
        self.say("stats\nprocs\nnonsense\nrules\n")
        for word in ("ok", "ok", "err", "ok"):
            lines = self.reply()
            if not lines[-1].startswith(word):
                raise RuntimeError("pipelined: %r" % lines)

    def leave(self):
        """In the middle of something; the next line is another's."""
        self.say(self.random.choice([
            "pause mutex.lock obj=ow", "wait quiescent timeout=5000\n",
            "locks\nthreads\nstate\n", "log any\n", "stats\nwait exit main\n",
        ]))
        self.connect()

    def run(self, rounds):
        acts = [self.list, self.list, self.rule, self.rule, self.hold,
                self.events, self.modes, self.nonsense, self.pipelined,
                self.leave]
        done = 0
        try:
            while ending or done < rounds:
                self.random.choice(acts)()
                done += 1
                if done == rounds:
                    barrier.wait()
        except (Gone, threading.BrokenBarrierError):
            pass
        except (RuntimeError, OSError) as e:
            wrong.append("client %d: %r" % (self.number, e))
            barrier.abort()


def end_session():
    """All have done their rounds: what they do from now on is cut short."""
    global ending
    pid = last.expect("procs", "ok")[1][1].split()[2]
    ending = True
    os.kill(int(pid), signal.SIGKILL)


path, clients, rounds, seed = sys.argv[1], *map(int, sys.argv[2:])
barrier = threading.Barrier(clients, action=end_session, timeout=600)
last = Client(path, 0, seed)
everybody = [Client(path, i + 1, seed) for i in range(clients)]
crowd = [threading.Thread(target=c.run, args=(rounds,)) for c in everybody]
for thread in crowd:
    thread.start()
for thread in crowd:
    thread.join()
complete = ending
if not ending:
    end_session()
for line in wrong:
    print(line)
print("%d clients had %d replies" % (clients, replies))
sys.exit(1 if wrong or not complete else 0)
