# SPDX-License-Identifier: MIT
"""Clients of a memcached that count in the same keys at once; then all keys.
usage: memcached.py SOCKET ROUNDS"""
import socket
import sys
import threading

path, rounds = sys.argv[1], int(sys.argv[2])


class Client:
    def __init__(self):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.file = self.socket.makefile("rb")

    def ask(self, line):
        self.socket.sendall(line.encode() + b"\r\n")
        return self.file.readline().decode().strip()

    def get(self, key, verb="get"):
        head = self.ask(f"{verb} {key}")
        if head == "END":
            return None
        body = self.file.read(int(head.split()[3]) + 2)[:-2].decode()
        self.file.readline()
        return (body, head.split()[-1]) if verb == "gets" else body


def count(number, wrong):
    client = Client()
    for n in range(rounds):
        if not client.ask(f"incr sum{n % 5} 1").isdigit():
            wrong.append("incr")
        key = f"own{number}.{n % 100}"
        value = f"{number} {n}" * (n % 50 + 1)
        if client.ask(f"set {key} 0 0 {len(value)}\r\n{value}") != "STORED":
            wrong.append("set")
        if client.get(key) != value:
            wrong.append("get")
        # A list that all append to, by compare and swap.
        while n % 20 == 0:
            text, token = client.get("all", "gets")
            text = str(int(text) + number)
            if client.ask(f"cas all 0 0 {len(text)} {token}\r\n{text}") == \
                    "STORED":
                break


first = Client()
first.ask("flush_all")
for n in range(5):
    first.ask(f"set sum{n} 0 0 1\r\n0")
first.ask("set all 0 0 1\r\n0")
wrong = []
threads = [threading.Thread(target=count, args=(n, wrong)) for n in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("wrong:", wrong)
for key in [f"sum{n}" for n in range(5)] + ["all"] + \
        [f"own{n}.{i}" for n in range(4) for i in range(100)]:
    print(key, first.get(key))
stats = {}
line = first.ask("stats")
while line != "END":
    _, name, value = line.split(" ", 2)
    stats[name] = value
    line = first.file.readline().decode().strip()
for name in ("incr_misses", "incr_hits", "evictions", "rejected_connections",
             "threads", "conn_yields", "curr_items"):
    print(name, stats[name])
