/* The run, and what is looked up in it. */
performance.mark("seam:begin");

const PREEMPTION = 1, AFTER = 2;
const run = JSON.parse(document.getElementById("run").textContent);
const ev = {};
const N = run.events.thread.length, T = run.threads.length, O = run.objects.length;
const textIndex = (list, text) => (list.includes(text) ? list.indexOf(text) : list.push(text) - 1);
const nothing = { result: textIndex(run.results, ""), note: textIndex(run.notes, "") };
/* Behind the steps, by thread, what it stood at when the run was over. */
for (const name of ["thread", "op", "object", "peer", "site", "result", "note", "flags"]) {
  ev[name] = new Int32Array(N + T);
  ev[name].set(run.events[name]);
  run.threads.forEach((th, t) => {
    ev[name][N + t] = name === "thread" ? t : nothing[name] ?? th.pending?.[name] ?? 0;
  });
}
const isWaiting = (t) => run.threads[t].state === "waits" && run.threads[t].pending !== null;

/* A holding or a wait, as [thread, object, from, to, open, more]. */
const asSpan = (s) => ({ thread: s[0], object: s[1], from: s[2], to: s[3], open: !!s[4], more: s[5] });
const holds = run.holds.map(asSpan), waits = run.waits.map(asSpan);

function groupBy(list, count, key) {
  const groups = Array.from({ length: count }, () => []);
  for (const item of list)
    if (item[key] >= 0)
      groups[item[key]].push(item);
  for (const group of groups)
    group.longest = group.reduce((most, s) => Math.max(most, s.to - s.from), 0);
  return groups;
}

/* Steps of one thread in a row. */
const blocks = [];
for (let i = 0; i < N; i++) {
  const last = blocks[blocks.length - 1];
  if (last && last.thread === ev.thread[i])
    last.to = i + 1;
  else
    blocks.push({ thread: ev.thread[i], from: i, to: i + 1 });
}

/* Those that overlap, readers and ranges of a file, lie one below the other. */
const MOST_ROWS = 4;
function stack(list) {
  const ends = [];
  for (const s of list) {
    let row = ends.findIndex((end) => end <= s.from);
    if (row < 0)
      row = Math.min(ends.length, MOST_ROWS - 1);
    ends[row] = s.to;
    s.row = row;
  }
  list.rows = Math.max(1, ends.length);
}

function stepsBy(count, of) {
  const steps = Array.from({ length: count }, () => []);
  for (let i = 0; i < N; i++)
    if (of(i) >= 0)
      steps[of(i)].push(i);
  return steps;
}

const blocksOf = groupBy(blocks, T, "thread");
const holdsOf = groupBy(holds, T, "thread"), waitsOf = groupBy(waits, T, "thread");
const holdsOn = groupBy(holds, O, "object"), waitsOn = groupBy(waits, O, "object");
holdsOn.forEach(stack);
const stepsOf = stepsBy(T, (i) => ev.thread[i]), stepsOn = stepsBy(O, (i) => ev.object[i]);
const preemptions = [];
for (let i = 0; i < N; i++)
  if (ev.flags[i] & PREEMPTION)
    preemptions.push(i);
const critical = run.critical.filter((i) => i < N || (i < N + T && isWaiting(i - N)));
const processes = new Set(run.threads.map((t) => t.process)).size;

/* The first index whose value is not below v. */
function lowerBound(list, v, of = (x) => x) {
  let lo = 0, hi = list.length;
  while (lo < hi) {
    const mid = (lo + hi) >> 1;
    if (of(list[mid]) < v)
      lo = mid + 1;
    else
      hi = mid;
  }
  return lo;
}

const threadPath = (t) => (t < 0 ? "" : run.threads[t].path);
/* Where there is one process, its name says nothing. */
function threadName(t) {
  const { path, name } = run.threads[t];
  const short = processes > 1 ? path : path.replace(/^P\d+\./, "");
  return name ? `${short} (${name})` : short;
}
const objectName = (o) => (o < 0 ? "" : run.objects[o].name);
const opName = (i) => run.ops[ev.op[i]];
const siteOf = (i) => run.sites[ev.site[i]];
const resultOf = (i) => run.results[ev.result[i]];
const lineOf = (site) => (/ \S+:\d+$/.test(site) ? site.slice(site.lastIndexOf(" ") + 1) : site);

/* What an event is about: an object, or another thread. */
function aboutOf(i) {
  if (ev.object[i] >= 0)
    return objectName(ev.object[i]);
  return ev.peer[i] >= 0 && ev.peer[i] !== ev.thread[i] ? threadPath(ev.peer[i]) : "";
}
function titleOf(i) {
  const about = aboutOf(i);
  return (i < N ? "" : "waits: ") + opName(i) + (ev.flags[i] & AFTER ? " (goes on after it)" : "") + (about ? " " + about : "");
}
const numberOf = (i) => (i < N ? "#" + (i + 1) : "at the end");
/* What a wait is for. */
function waitedFor(w) {
  if (w.object >= 0)
    return objectName(w.object);
  const steps = stepsOf[w.thread];
  return threadPath(w.more) || opName(w.open ? N + w.thread : steps[lowerBound(steps, w.to)]);
}
const noteOf = (i) => run.notes[ev.note[i]];

const RELEASES = /\.(unlock|post|close)$/, ACQUIRES = /\.(\w*lock|setlkw?|reacquire)$|^sem\.(try)?wait$/;
function kindOf(i) {
  const op = opName(i);
  if (ev.flags[i] & AFTER)
    return "after";
  if (RELEASES.test(op))
    return "release";
  return ACQUIRES.test(op) ? "acquire" : "other";
}

/* What is looked at: which threads and objects, what is searched for. */
const state = {
  selected: -1, hovered: -1,
  threads: new Uint8Array(T).fill(1), objects: new Uint8Array(O).fill(1),
  matches: [], isMatch: null,
};
const isShown = (i) => state.threads[ev.thread[i]] && (ev.object[i] < 0 || state.objects[ev.object[i]]);

let shown = [];
function refilter() {
  shown = [];
  for (let i = 0; i < N; i++)
    if (isShown(i))
      shown.push(i);
  for (let t = 0; t < T; t++)
    if (isWaiting(t) && isShown(N + t))
      shown.push(N + t);
}
refilter();

function el(tag, props, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props || {}))
    if (key === "class")
      node.className = value;
    else if (key.startsWith("on"))
      node.addEventListener(key.slice(2), value);
    else
      node.setAttribute(key, value);
  for (const child of children)
    if (child !== null && child !== undefined && child !== "")
      node.append(child);
  return node;
}
const $ = (id) => document.getElementById(id);
