# SPDX-License-Identifier: MIT
"""What whole programs pay for seam, in processor time of their own.

    python3 bench/programs.py [ROUNDS [SHARE [PROGRAM...]]]
                                            (SEAM_PRELOAD, SEAM_COMMAND)

Each round runs a program natively and in each gear, in an order that changes
from round to round; a ratio is the median of the rounds' ratios.  Servers are
measured over their load, other programs as a whole, with whatever they
started.  The program has a processor to itself, if there are two; the client
and the controller share the other one.  SHARE makes every load smaller.

valgrind and gdb are so slow that their loads are smaller (PARTS), and their
start is taken off: there, the ratio is that of the cost of a unit of work.
"""
import os
import random
import resource
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

SEAM = os.environ["SEAM_COMMAND"]
PRELOAD = os.environ["SEAM_PRELOAD"]
BENCH = os.path.dirname(os.path.abspath(__file__))
CPUS = sorted(os.sched_getaffinity(0))
SECONDS = 300  # at most, for anything
FILES = 1024  # that may be open
VALGRINDS = 12  # of those, for itself; memcached must not ask for them
OTHERS = 32  # objects, and sites, with a rule each

QUEUES = """
import queue, sys, threading
q, back, lock, total = queue.Queue(64), queue.SimpleQueue(), threading.Lock(), 0
def work():
    global total
    while (n := q.get()) is not None:
        with lock:
            total += sum(range(n % 64))
        back.put(n)
team = [threading.Thread(target=work) for _ in range(4)]
for t in team: t.start()
for n in range(int(sys.argv[1])): q.put(n)
for t in team: q.put(None)
for t in team: t.join()
assert back.qsize() == int(sys.argv[1])
"""
SINGLE = """
import json, re, sys
words = {}
for n in range(int(sys.argv[1])):
    text = json.dumps({"n": n, "square": n * n, "list": list(range(n % 32))})
    for word in re.findall(r"[0-9]+", text):
        words[word] = words.get(word, 0) + 1
assert words or not int(sys.argv[1])
"""


def run(argv, **how):
    how.setdefault("stdout", subprocess.DEVNULL)
    subprocess.run(argv, stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT,
                   timeout=SECONDS, check=True, **how)


def on_cpu(cpu):
    return lambda: os.sched_setaffinity(0, {cpu})


def start(argv, cpu, environment=None, **how):
    how.setdefault("stdout", subprocess.DEVNULL)
    return subprocess.Popen(argv, stdin=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL,
                            env={**os.environ, **(environment or {})},
                            preexec_fn=on_cpu(cpu), **how)


def until(what, condition):
    end = time.monotonic() + SECONDS
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"{what}: nothing for {SECONDS} s")
        time.sleep(0.002)


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(child) for child in file.read().split()]


# The processor time of a process, and of its children: CPUCLOCK_SCHED.
def time_of(pid):
    own = time.clock_gettime((~pid << 3) | 2)
    return own + sum(map(time_of, children_of(pid)))


def end(child):
    if child.poll() is None:
        for pid in [*children_of(child.pid), child.pid]:
            os.kill(pid, signal.SIGKILL)
        child.wait()


# A controller, and a client of it.
class Session:
    def __init__(self, path):
        self.controller = start([SEAM, "serve", "-S", path], CPUS[0])
        self.socket = socket.socket(socket.AF_UNIX)
        until("seam serve", lambda: not self.socket.connect_ex(path))
        self.replies = self.socket.makefile("r")
        self.environment = {"LD_PRELOAD": PRELOAD, "SEAM_SOCKET": path}

    def say(self, line):
        self.socket.sendall(line.encode() + b"\n")
        for reply in self.replies:
            if reply.startswith("ok"):
                return dict(word.split("=", 1) for word in reply.split()
                            if "=" in word)
            if reply.startswith("err"):
                sys.exit(f"{line}: {reply.strip()}")
        sys.exit(f"{line}: no reply")

    def end(self):
        self.replies.close()
        self.socket.close()
        self.controller.terminate()
        return sum(os.wait4(self.controller.pid, 0)[2][:2])


# Programs.  A batch is one run, for so many units of work.
class Batch:
    def __init__(self, name, units, parts, argv):
        self.name, self.units, self.parts, self.argv = name, units, parts, argv

    # Processor seconds.
    def measure(self, prefix, environment, units):
        child = start([*prefix, *self.argv(units)], CPUS[-1], environment)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if status:
            sys.exit(f"{self.name}: status {child.returncode}")
        return usage.ru_utime + usage.ru_stime


# A server serves so many requests, once it is there.
class Server(Batch):
    def __init__(self, name, units, parts, argv, ping, load):
        super().__init__(name, units, parts, argv)
        self.ping, self.load = ping, load

    def answers(self):
        return subprocess.run(self.ping, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, check=False,
                              timeout=SECONDS).returncode == 0

    def measure(self, prefix, environment, units):
        if not units:
            return 0
        child = start([*prefix, *self.argv(units)], CPUS[-1], environment)
        try:
            until(self.name, lambda: self.answers() or
                  child.poll() is not None)
            if child.returncode is not None:
                sys.exit(f"{self.name}: it has ended")
            before = time_of(child.pid)
            for argv in self.load(units):
                run(argv, preexec_fn=on_cpu(CPUS[0]))
            return time_of(child.pid) - before
        finally:
            end(child)


def files(directory):
    text = random.Random(1)
    words = [f"{text.randrange(10 ** 9):x}" for _ in range(2000)]
    with open(f"{directory}/text", "w") as file:
        for _ in range(400_000):
            file.write(text.choice(words) + " ")


def programs(directory):
    memcached, redis = f"{directory}/memcached", f"{directory}/redis"
    slap = ["memcslap", "-s", memcached, "-c", "4"]
    benchmark = ["redis-benchmark", "-s", redis, "-q", "-c", "20"]

    def sql(units):
        name = f"{directory}/insert-{units}.sql"
        if not os.path.exists(name):
            with open(name, "w") as file:
                file.write("pragma synchronous=off; drop table if exists t;"
                           "create table t(a, b);\n")
                file.write("insert into t values(random(), 'some text');\n" *
                           units)
        return ["sqlite3", f"{directory}/t.db", f".read {name}"]

    def pigz(units):
        name = f"{directory}/text-{units}"
        if not os.path.exists(name):
            with open(f"{directory}/text", "rb") as text, \
                    open(name, "wb") as file:
                whole = text.read()
                for at in range(0, units * 1000, len(whole)):
                    file.write(whole[:units * 1000 - at])
        return ["pigz", "-c", "-p", "4", name]

    def python(script):
        return lambda units: ["python3", "-c", script, str(units)]

    return [
        Server("memcached -t 2, memcslap", 15_000, {"drd": 50, "gdb": 100},
               lambda units: ["memcached", "-u", "root", "-t", "2", "-c",
                              str(FILES - VALGRINDS), "-s", memcached],
               ["memcping", f"--servers={memcached}"],
               lambda units: [[*slap, "-t", "set", "-e", str(units)]]),
        Server("redis-server, redis-benchmark", 100_000,
               {"drd": 10, "gdb": 10},
               lambda units: ["redis-server", "--port", "0", "--unixsocket",
                              redis, "--save", "", "--dir", directory],
               ["redis-cli", "-s", redis, "ping"],
               lambda units: [[*benchmark, "-t", "set,get", "-n",
                               str(units)]]),
        Batch("sqlite3, inserts", 20_000, {"drd": 10, "gdb": 100}, sql),
        Batch("pigz -p 4", 30_000, {"drd": 10, "gdb": 1}, pigz),
        Batch("python3, threads, queues, a lock", 200_000,
              {"drd": 10, "gdb": 100}, python(QUEUES)),
        Batch("python3, one thread", 60_000, {"drd": 10, "gdb": 1},
              python(SINGLE)),
    ]


# Gears: what a session is told before the program starts.
def named():
    for i in range(OTHERS):
        yield f"pause any obj=@{0x10000 + 64 * i:#x}"
        yield f"pause any at=libc.so.6+{64 * i:#x}"


GEARS = {
    "passive": (lambda: [], 1.03),
    "armed, 64 rules for other objects and places": (named, None),
    "armed, one rule, for any call of another thread":
        (lambda: ["pause any thread=nobody"], None),
    "recording": (lambda: ["record on"], 1.25),
}
PREFIXES = {
    "drd": ["valgrind", "-q", "--tool=drd"],
    "gdb": ["gdb", "-nx", "-batch", "-x", f"{BENCH}/gdb_count.py", "--args"],
}
TOOLS = {
    "drd": "valgrind --tool=drd",
    "gdb": "gdb, one Python breakpoint on pthread_mutex_lock",
}
TOOL_RUNS = int(os.environ.get("TOOL_RUNS", 3))  # 0: neither


class Figures:
    def __init__(self):
        self.seconds, self.ratios, self.controller = [], [], []
        self.events, self.lost, self.parts = [], [], 1


def in_session(program, commands, units, figures):
    with tempfile.TemporaryDirectory(prefix="seam-bench-") as directory:
        session = Session(f"{directory}/s")
        try:
            for command in commands:
                session.say(command)
            seconds = program.measure([], session.environment, units)
            if "record on" in commands:
                said = session.say("record off")
                figures.events.append(int(said["events"]))
                figures.lost.append(int(said["lost"]))
        finally:
            figures.controller.append(session.end())
    return seconds


def one_round(program, units, number, native, gears):
    names = [None, *gears]
    turn = number % len(names)
    seconds = {}
    for name in names[turn:] + names[:turn]:
        if name:
            commands = list(GEARS[name][0]())
            seconds[name] = in_session(program, commands, units, gears[name])
        else:
            seconds[name] = program.measure([], {}, units)
    native.seconds.append(seconds[None])
    for name, figures in gears.items():
        figures.seconds.append(seconds[name])
        figures.ratios.append(seconds[name] / seconds[None])


# Of a unit, without the start; beside the native unit.
def by_tool(program, units, tool, native, start_up):
    figures = Figures()
    figures.parts = program.parts[tool]
    some = max(units // figures.parts, 1)
    unit = (statistics.median(native.seconds) - start_up) / units
    for _ in range(TOOL_RUNS):
        none = program.measure(PREFIXES[tool], {}, 0)
        seconds = program.measure(PREFIXES[tool], {}, some)
        figures.seconds.append((seconds - none) * units / some)
        figures.ratios.append((seconds - none) / some / unit)
    return figures


def spread(values):
    if len(values) < 4:
        return f"{statistics.median(values):.2f}"
    low, middle, high = statistics.quantiles(values, n=4)
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


def row(what, figures, native, target=None):
    if figures.events:
        what += f", {share_lost(figures):.1f} % lost"
    ratio = statistics.median(figures.ratios)
    verdict, limit = "", ""
    if target:
        limit = f"≤ {target}"
        verdict = "met" if ratio <= target else \
            f"**missed** by {(ratio / target - 1) * 100:.0f} %"
    print(f"| {what} | {statistics.median(figures.seconds):.2f} s | "
          f"{statistics.median(native.seconds):.2f} s | "
          f"{spread(figures.ratios)} | {limit} | {verdict} |", flush=True)


def share_lost(figures):
    return 100 * sum(figures.lost) / max(sum(figures.events + figures.lost), 1)


def tell_recording(program, figures):
    kept, lost = map(statistics.median, (figures.events, figures.lost))
    print(f"{program.name}, recording: {kept:.0f} events, and {lost:.0f} lost "
          "for lack of room in the rings; the controller took "
          f"{statistics.median(figures.controller):.2f} s.", flush=True)


def one_program(program, rounds, share):
    units = max(int(program.units * share), 1)
    native = Figures()
    gears = {name: Figures() for name in GEARS}
    program.measure([], {}, units)
    for number in range(rounds):
        one_round(program, units, number, native, gears)
    for name, figures in gears.items():
        row(f"{program.name}, {name}", figures, native, GEARS[name][1])
    if TOOL_RUNS:
        by_tools(program, units, native)
    tell_recording(program, gears["recording"])


def by_tools(program, units, native):
    start_up = statistics.median(
        program.measure([], {}, 0) for _ in range(TOOL_RUNS))
    for tool, what in TOOLS.items():
        figures = by_tool(program, units, tool, native, start_up)
        part = f", by a load of 1/{figures.parts}" * (figures.parts > 1)
        row(f"{program.name}, {what}{part}", figures, native)


def seconds_of(argv):
    begin = time.monotonic()
    run(argv, preexec_fn=on_cpu(CPUS[0]))
    return time.monotonic() - begin


# What comes once, whatever the program does.
def starting(rounds):
    ways = {"`env -i true`": ["env", "-i", "true"],
            "`seam run -- env -i true`": [SEAM, "run", "--", "env", "-i",
                                          "true"],
            "`valgrind --tool=drd env -i true`":
                [*PREFIXES["drd"], "--trace-children=yes", "env", "-i",
                 "true"],
            "`gdb`, run of `env -i true`":
                [*PREFIXES["gdb"], "env", "-i", "true"]}
    taken = {name: [] for name in ways}
    for _ in range(rounds):
        for name, argv in ways.items():
            taken[name].append(seconds_of(argv))
    native, *others = ways
    plain = statistics.median(taken[native])
    for name in others:
        mine = statistics.median(taken[name])
        print(f"| starting {name}, by the clock | {mine * 1000:.1f} ms | "
              f"{plain * 1000:.1f} ms | {mine / plain:.1f} | | |")


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    share = float(sys.argv[2]) if len(sys.argv) > 2 else 1
    names = sys.argv[3:]
    # Sets and dictionaries are the same in all runs.
    os.environ.setdefault("PYTHONHASHSEED", "0")
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES))
    with tempfile.TemporaryDirectory(prefix="seam-bench-") as directory:
        files(directory)
        for program in programs(directory):
            if not names or program.name.split()[0].strip(",") in names:
                one_program(program, rounds, share)
        starting(rounds)
    print(f"Programs: medians of {rounds} rounds (quartiles), each round all "
          f"gears in turn; {TOOL_RUNS} runs by valgrind and by gdb.")


main()
