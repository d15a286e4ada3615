# SPDX-License-Identifier: MIT
"""What `seam explore` and `seam replay` write for machines, held against its
documentation: lines of JSON and pages' data against our schemas, JUnit's XML
against its own, traces against the rules of the Trace Event Format, TAP.

usage: explore_outputs.py (lines|page|trace|tap FILE...)...; prints what is wrong
"""
import json
import os
import re
import sys

import jsonschema

SCHEMAS = os.path.join(os.environ["SEAM_SOURCE"], "docs", "schema")


def validator(name):
    with open(os.path.join(SCHEMAS, name)) as f:
        schema = json.load(f)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def must(condition, *what):
    if not condition:
        raise AssertionError(" ".join(map(str, what)))


def why(error):
    """Of the branch that the line should have been."""
    branches = {}
    for e in error.context:
        branches.setdefault(e.schema_path[0], []).append(e)
    for errors in branches.values():
        if not any(list(e.path) == ["event"] for e in errors):
            return [f"{e.json_path}: {e.message[:200]}" for e in errors]
    return error.message[:300]


def lines(path):
    """Every line is of exactly one kind; the first says the version."""
    valid = validator("explore.json")
    events = []
    with open(path) as f:
        for number, line in enumerate(f, 1):
            event = json.loads(line)
            kind = event.get("event")
            for error in valid.iter_errors(event):
                raise AssertionError(f"{path}:{number}: {kind}: {why(error)}")
            events.append(kind)
    must(events, path, "is empty")
    must(events[0] in ("started", "replayed", "minimised", "nearby"), path, "begins with", events[0])
    must(events[0] != "started" or events[-1] == "ended", path, "ends with", events[-1])
    return events


def data_of(path):
    with open(path, encoding="utf-8") as f:
        page = f.read()
    must(page.startswith("<!DOCTYPE html>") and page.endswith("</html>\n"), path, "is not whole")
    found = re.findall(r'<script type="application/json" id="run">\n(.*?)\n</script>', page, re.S)
    must(len(found) == 1, path, "has", len(found), "runs")
    return json.loads(found[0]), page


def page(path):
    """The data is as the schema says, and consistent with itself."""
    run, text = data_of(path)
    for error in validator("run.json").iter_errors(run):
        raise AssertionError(f"{path}: {error.json_path}: {error.message[:300]}")
    events = run["events"]
    n = len(events["thread"])
    for name, column in events.items():
        must(len(column) == n, path, name, "is", len(column), "long, not", n)
    for column, table in (("thread", "threads"), ("op", "ops"), ("object", "objects"), ("peer", "threads"),
                          ("site", "sites"), ("result", "results"), ("note", "notes")):
        must(all(i < len(run[table]) for i in events[column]), path, column)
    must(len(run["sites"]) == len(run["sources"]), path, "sources")
    must(any(f & 1 for f in events["flags"]) or not run["preemptions"], path, "preemptions")
    holds(path, run, n)
    for thread, object_, start, end, is_open, by in run["waits"]:
        must(0 <= start < end or (is_open and start <= end == n), path, "wait", start, end)
        must(thread not in events["thread"][start:end], path, "thread", thread, "waits and runs at", start, end)
    for source in run["sources"]:
        must(source is None or source["first"] <= source["line"] < source["first"] + len(source["lines"]), path, source)
    # It needs nothing from anywhere.
    must(not re.search(r'(src|href)="(?!data:)', text), path, "refers to something")
    return run


def holds(path, run, n):
    """Nobody holds what another holds, but readers; both ends are events of
    the holder on that object."""
    events = run["events"]
    taken = {}
    for thread, object_, start, end, is_open, shared in run["holds"]:
        must(0 <= start < end <= n and is_open == (end == n) or (not is_open and end < n), path, "hold", start, end)
        must(events["thread"][start] == thread, path, "held by", thread, "since", start)
        must(events["object"][start] == object_, path, "object", object_, "since", start)
        taken.setdefault(object_, []).append((start, end, shared, thread))
    for object_, spans in taken.items():
        if run["objects"][object_]["kind"] == "file":
            continue
        spans.sort()
        for (s1, e1, r1, t1), (s2, e2, r2, t2) in zip(spans, spans[1:]):
            must(e1 <= s2 or (r1 and r2), path, run["objects"][object_]["name"], "is held twice at step", s2)


NAMED = {"process_name", "thread_name", "process_sort_index", "thread_sort_index", "process_labels"}


def slices(path, events):
    """Slices of a thread are beside or within one another."""
    by_thread = {}
    for e in events:
        if e["ph"] == "X":
            must(isinstance(e.get("dur"), int) and e["dur"] >= 0, path, e)
            by_thread.setdefault((e["pid"], e["tid"]), []).append(e)
    for list_ in by_thread.values():
        open_ = []
        for e in sorted(list_, key=lambda e: (e["ts"], -e["dur"])):
            while open_ and open_[-1]["ts"] + open_[-1]["dur"] <= e["ts"]:
                open_.pop()
            must(not open_ or e["ts"] + e["dur"] <= open_[-1]["ts"] + open_[-1]["dur"], path, "slices cross:", open_[-1:], e)
            open_.append(e)
    return by_thread


def paired(path, events, begin, end, key):
    """Each beginning has its end, not before it."""
    open_ = {}
    for e in events:
        if e["ph"] == begin:
            must("id" in e and key(e) not in open_, path, "begun twice:", e)
            open_[key(e)] = e
        elif e["ph"] == end:
            must(key(e) in open_, path, "ends and has not begun:", e)
            must(open_.pop(key(e))["ts"] <= e["ts"], path, e)
    must(not open_, path, "never ends:", list(open_.values())[:2])


def trace(path):
    """docs: Trace Event Format, Duca & Sinclair."""
    with open(path) as f:
        whole = json.load(f)
    events = whole["traceEvents"]
    must(whole["displayTimeUnit"] in ("ms", "ns"), path)
    last = 0
    for e in events:
        must(e["ph"] in "MXibesf", path, "phase", e)
        must(isinstance(e["name"], str) and e["name"], path, "name", e)
        must(all(isinstance(e[k], int) for k in ("ts", "pid", "tid")), path, e)
        must(e["ts"] >= last, path, "goes back:", e)
        last = e["ts"]
        must(isinstance(e.get("args", {}), dict), path, e)
        if e["ph"] == "M":
            must(e["name"] in NAMED and isinstance(e["args"]["name"], str), path, e)
        else:
            must(isinstance(e["cat"], str) and e["cat"], path, e)
        if e["ph"] == "i":
            must(e["s"] in ("g", "p", "t"), path, e)
            must({"step", "object", "site"} <= set(e["args"]), path, e)
    by_thread = slices(path, events)
    paired(path, events, "b", "e", lambda e: (e["cat"], e["id"], e["name"], e["pid"]))
    paired(path, events, "s", "f", lambda e: (e["cat"], e["id"], e["name"]))
    for e in events:
        if e["ph"] in "sf":
            around = by_thread.get((e["pid"], e["tid"]), [])
            must(any(s["ts"] <= e["ts"] < s["ts"] + s["dur"] for s in around), path, "an arrow at no slice:", e)
    named = {(e["pid"], e["tid"]) for e in events if e["ph"] == "M" and e["name"] == "thread_name"}
    must(all((e["pid"], e["tid"]) in named for e in events if e["ph"] != "M"), path, "threads without a name")
    steps = [e["args"]["step"] for e in events if e["ph"] == "i"]
    must(steps == list(range(1, len(steps) + 1)), path, "steps are missing")
    return whole


def tap(path):
    """TAP 14: version, plan, as many points, YAML that ends."""
    with open(path) as f:
        text = f.read().split("\n")
    must(text[0] == "TAP version 14" and text[-1] == "", path, text[0])
    plan = re.fullmatch(r"1\.\.(\d+)", text[1])
    must(plan, path, text[1])
    points = [line for line in text if re.match(r"(not )?ok \d+ - ", line)]
    must([int(re.search(r"\d+", p)[0]) for p in points] == list(range(1, int(plan[1]) + 1)), path, points)
    must(text.count("  ---") == text.count("  ...") == len(points), path)
    inside = False
    for line in text[2:-1]:
        inside = line == "  ---" or (inside and line != "  ...")
        must(inside or line == "  ..." or line in points, path, "stray:", line)


if __name__ == "__main__":
    kinds = {"lines": lines, "page": page, "trace": trace, "tap": tap}
    kind = None
    for word in sys.argv[1:]:
        if word in kinds:
            kind = kinds[word]
        else:
            kind(word)
