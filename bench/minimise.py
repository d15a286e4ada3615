# SPDX-License-Identifier: MIT
# What shrinking a failure of a real program takes: two sqlite3 processes that
# each read, then write, of which one is refused (SQLITE_BUSY), found by random
# schedules.
#
#	python3 bench/minimise.py		(SEAM_PRELOAD, SEAM_COMMAND)
#
# A row for the time, verifying and finding the pair that decides included, and
# lines that say what became of the schedule.
import json
import os
import subprocess
import sys
import tempfile

SEAM = os.environ["SEAM_COMMAND"]
DECISIONS = 2000  # at least, in the failure
SECONDS = 60  # at most
SEEDS = 20
PROGRAM = """
change="begin; select count(*) from t; insert into t values(1); commit;"
sqlite3 t.db "$change" & first=$!
sqlite3 t.db "$change" & second=$!
wait $first || exit
wait $second
"""
RESET = 'rm -f t.db*; sqlite3 t.db "create table t(x)"'


def seam(*words):
    done = subprocess.run([SEAM, *words], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, timeout=600, check=False)
    if done.returncode != 1:
        sys.exit(f"seam {words[0]}: status {done.returncode}")
    lines = done.stdout.decode(errors="replace").splitlines()
    return {e["event"]: e for e in map(json.loads, lines)}


# A failure as long as that; the files stay in the directory.
def find():
    for seed in range(1, SEEDS + 1):
        seam("explore", "--strategy", "random", "--seed", str(seed),
             "--expect", "0", "--scratch", "--reset", RESET, "--no-minimise",
             "--json", "-o", "long.replay", "--", "/bin/sh",
             os.path.abspath("two.sh"))
        small = seam("minimise", "--json", "-o", "short.replay",
                     "long.replay")["minimised"]
        if small["before"]["decisions"] >= DECISIONS:
            return small
    sys.exit(f"no failure with {DECISIONS} decisions in {SEEDS} seeds")


with tempfile.TemporaryDirectory(prefix="seam-bench-") as directory:
    os.chdir(directory)
    with open("two.sh", "w") as file:
        file.write(PROGRAM)
    small = find()
    os.chdir("/")
before, after = small["before"], small["after"]
seconds = small["seconds"]
met = "met" if seconds <= SECONDS else "**missed** by " \
    f"{(seconds / SECONDS - 1) * 100:.0f} %"
print(f"| shrinking a failure of two sqlite3 processes, "
      f"{before['decisions']} decisions | {seconds:.1f} s | | | "
      f"≤ {SECONDS} s | {met} |")
print(f"It took {small['runs']} runs, {small['verified']} of them to verify "
      f"the survivor: {before['switches']} switches became "
      f"{after['switches']}, {before['preemptions']} preemptions "
      f"{after['preemptions']}.")
print(f"{small.get('because', 'No pair was found that decides')}.")
