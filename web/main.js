/* What a person does. */

/* Searching. */
function search(text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  state.matches = [];
  state.isMatch = words.length ? new Uint8Array(N + T) : null;
  for (const i of words.length ? shown : []) {
    const number = numberOf(i);
    const all = `${threadPath(ev.thread[i])} ${threadName(ev.thread[i])} ${titleOf(i)} ${siteOf(i)} ${resultOf(i)} ${noteOf(i)}`.toLowerCase();
    if (words.every((w) => (w[0] === "#" ? w === number : all.includes(w)))) {
      state.isMatch[i] = 1;
      state.matches.push(i);
    }
  }
  tellFound();
  fillList();
  redraw();
}
function tellFound() {
  const n = state.matches.length, k = state.matches.indexOf(state.selected);
  $("found").textContent = !state.isMatch ? "" : n ? `${k >= 0 ? k + 1 + " of " : ""}${n}` : "none";
}
/* The next of these after the selected one, around the ends. */
function goAmong(steps, way) {
  if (!steps.length)
    return;
  const k = lowerBound(steps, way > 0 ? state.selected + 1 : state.selected);
  select(way > 0 ? steps[k % steps.length] : steps[(k - 1 + steps.length) % steps.length], true);
  tellFound();
}

/* Filters. */
function refresh() {
  refilter();
  search($("search").value);
  layout();
  list.scrollTop = Math.min(list.scrollTop, shown.length * ROW);
  fillList();
  for (const [name, chosen] of [["threads", state.threads], ["objects", state.objects]]) {
    const n = chosen.reduce((sum, c) => sum + c, 0);
    $(name + "-count").textContent = n === chosen.length ? String(n) : `${n} of ${chosen.length}`;
    $(name + "-menu").firstElementChild.classList.toggle("filtered", n !== chosen.length);
  }
}
function fillSheet(name, chosen, texts, counts, before) {
  const sheet = $(name + "-sheet"), labels = [];
  const narrow = el("input", { type: "search", placeholder: "name", "aria-label": "Which " + name });
  const setAll = (on) => {
    labels.forEach((label, k) => {
      if (label.hidden)
        return;
      chosen[k] = on;
      label.firstElementChild.checked = on;
    });
    refresh();
  };
  narrow.addEventListener("input", () =>
    labels.forEach((label, k) => { label.hidden = !texts[k].toLowerCase().includes(narrow.value.toLowerCase()); }));
  sheet.append(el("div", { class: "all" }, narrow,
    el("button", { type: "button", onclick: () => setAll(1) }, "All"), el("button", { type: "button", onclick: () => setAll(0) }, "None")));
  texts.forEach((text, k) => {
    const box = el("input", { type: "checkbox" });
    box.checked = true;
    box.addEventListener("change", () => {
      chosen[k] = box.checked ? 1 : 0;
      refresh();
    });
    const label = el("label", { title: text }, box, before(k), el("span", { class: "name" }, text), el("span", { class: "count" }, String(counts[k])));
    labels.push(label);
    sheet.append(label);
  });
}

/* The pointer. */
let drag = null;
canvas.addEventListener("pointerdown", (e) => {
  if (e.button || e.offsetX < GUTTER)
    return;
  drag = { x: e.clientX, y: e.clientY, moved: false, ruler: e.offsetY < RULER };
  canvas.setPointerCapture(e.pointerId);
});
canvas.addEventListener("pointermove", (e) => {
  if (drag) {
    const dx = drag.x - e.clientX;
    if (drag.moved || Math.abs(dx) > 3) {
      drag.moved = true;
      canvas.classList.add("dragging");
      pan(dx);
      drag.x = e.clientX;
      tip.hidden = true;
    }
    return;
  }
  const hit = under(e.offsetX, e.offsetY), lines = hit && tipLines(hit);
  hover(hit ? hit.step : -1);
  canvas.style.cursor = lines ? "pointer" : "default";
  if (lines)
    showTip(e.clientX, e.clientY, lines);
  else
    tip.hidden = true;
});
canvas.addEventListener("pointerup", (e) => {
  const hit = drag && !drag.moved ? under(e.offsetX, e.offsetY) : null;
  drag = null;
  canvas.classList.remove("dragging");
  if (!hit)
    return;
  const i = hit.step >= 0 ? hit.step : hit.hold ? hit.hold.from : hit.wait ? Math.max(0, lastStepBefore(hit.wait)) : -1;
  if (i >= 0)
    select(i, false);
});
const lastStepBefore = (w) => stepsOf[w.thread][lowerBound(stepsOf[w.thread], w.from) - 1] ?? w.from;
canvas.addEventListener("pointerleave", () => {
  tip.hidden = true;
  hover(-1);
});
canvas.addEventListener("dblclick", (e) => {
  const hit = under(e.offsetX, e.offsetY);
  zoom(hit && view.scale < 30 ? 40 / view.scale : 2, e.offsetX);
});
lanesBox.addEventListener("wheel", (e) => {
  const x = e.clientX - lanesBox.getBoundingClientRect().left;
  if (e.ctrlKey || e.metaKey || e.altKey)
    zoom(Math.exp(-e.deltaY * 0.0022), x);
  else if (e.shiftKey || Math.abs(e.deltaX) > Math.abs(e.deltaY))
    pan(e.deltaX || e.deltaY);
  else if (lanesHeight <= view.height)
    zoom(Math.exp(-e.deltaY * 0.0022), x);
  else
    return;
  e.preventDefault();
}, { passive: false });
lanesBox.addEventListener("scroll", redraw);

function mapTo(e) {
  const at = ((e.offsetX - GUTTER) / mapWidth()) * N;
  view.from = at - view.width / view.scale / 2;
  clampView();
  redraw();
}
map.addEventListener("pointerdown", (e) => {
  map.setPointerCapture(e.pointerId);
  mapTo(e);
});
map.addEventListener("pointermove", (e) => {
  if (e.buttons & 1)
    mapTo(e);
});

list.addEventListener("scroll", () => requestAnimationFrame(fillList));
const stepOfRow = (e) => Number(e.target.closest("[data-step]")?.dataset.step ?? -1);
list.addEventListener("click", (e) => {
  const i = stepOfRow(e);
  if (i >= 0)
    select(i, true);
});
list.addEventListener("pointermove", (e) => hover(stepOfRow(e)));
list.addEventListener("pointerleave", () => hover(-1));

const grip = $("grip");
grip.addEventListener("pointerdown", (e) => grip.setPointerCapture(e.pointerId));
grip.addEventListener("pointermove", (e) => {
  if (!(e.buttons & 1))
    return;
  const box = $("left").getBoundingClientRect();
  list.style.height = Math.max(60, Math.min(box.height - 170, box.bottom - e.clientY)) + "px";
});

/* Keys. */
const KEYS = [
  ["\u2190 \u2192", "the event before, after", { ArrowLeft: () => goAmong(shown, -1), ArrowRight: () => goAmong(shown, 1), ArrowUp: () => goAmong(shown, -1), ArrowDown: () => goAmong(shown, 1) }],
  ["Shift \u2190 \u2192", "of the same thread", {}],
  ["w s", "zoom in, out; also + and -, and Ctrl with the wheel", { w: () => zoom(1.4), s: () => zoom(1 / 1.4), "+": () => zoom(1.4), "=": () => zoom(1.4), "-": () => zoom(1 / 1.4) }],
  ["a d", "left, right; also by dragging", { a: () => pan(-view.width / 5), d: () => pan(view.width / 5) }],
  ["f", "the whole run; also 0", { f: fit, 0: fit }],
  ["z", "the selected event, large", { z: () => { if (state.selected >= 0) { view.scale = 80; clampView(); view.from = Math.min(state.selected, N) - view.width / 160; clampView(); redraw(); } } }],
  ["Home End", "first, last event", { Home: () => shown.length && select(shown[0], true), End: () => shown.length && select(shown[shown.length - 1], true) }],
  ["c", "the critical pair", { c: () => critical.length && select(critical[state.selected === critical[0] && critical.length > 1 ? 1 : 0], true) }],
  ["p", "next preemption; Shift: the one before", { p: () => goAmong(preemptions.filter(isShown), 1), P: () => goAmong(preemptions.filter(isShown), -1) }],
  ["/", "search; Enter: next match, Shift Enter: the one before", { "/": () => { $("search").focus(); $("search").select(); } }],
  ["n", "next match; Shift: the one before", { n: () => goAmong(state.matches, 1), N: () => goAmong(state.matches, -1) }],
  ["t", "light or dark", { t: toggleTheme }],
  ["?", "these keys", { "?": () => $("keys").showModal() }],
];
const actions = Object.assign({}, ...KEYS.map((k) => k[2]));
document.addEventListener("keydown", (e) => {
  const at = e.target instanceof Element ? e.target : document.body;
  const typing = at.matches("input");
  if (e.key === "Escape") {
    document.querySelectorAll(".menu[open]").forEach((m) => { m.open = false; });
    if (at === $("search"))
      lanesBox.focus();
    return;
  }
  if (at === $("search") && e.key === "Enter") {
    goAmong(state.matches, e.shiftKey ? -1 : 1);
    return;
  }
  if (typing || e.ctrlKey || e.metaKey || e.altKey || $("keys").open || at.closest(".lines, pre"))
    return;
  if (e.shiftKey && (e.key === "ArrowLeft" || e.key === "ArrowRight") && state.selected >= 0) {
    goAmong(stepsOf[ev.thread[state.selected]], e.key === "ArrowLeft" ? -1 : 1);
    e.preventDefault();
    return;
  }
  const action = actions[e.key];
  if (!action || (at.closest("button, summary") && e.key === " "))
    return;
  e.preventDefault();
  action();
});

function begin() {
  setTheme(remembered("seam-theme"));
  fillHead();
  fillPair();
  fillSheet("threads", state.threads, run.threads.map((_, t) => threadName(t)), stepsOf.map((s) => s.length), dot);
  fillSheet("objects", state.objects, run.objects.map((o) => `${o.name} (${o.kind})`), stepsOn.map((s) => s.length), () => null);
  for (const [keys, meaning] of KEYS)
    $("key-list").append(el("dt", {}, ...keys.split(" ").flatMap((k, n) => [n ? " " : "", el("kbd", {}, k)])), el("dd", {}, meaning));
  for (const name of ["input", "change"])
    $("search").addEventListener(name, (e) => search(e.target.value));
  $("theme").addEventListener("click", toggleTheme);
  $("help").addEventListener("click", actions["?"]);
  $("zoom-in").addEventListener("click", actions.w);
  $("zoom-out").addEventListener("click", actions.s);
  $("fit").addEventListener("click", fit);
  $("next-preemption").addEventListener("click", actions.p);
  $("previous-preemption").addEventListener("click", actions.P);
  document.addEventListener("pointerdown", (e) => document.querySelectorAll(".menu[open]").forEach((m) => {
    if (!m.contains(e.target))
      m.open = false;
  }));
  view.scale = 0;
  refresh();
  fit();
  const wanted = /^#step=(\d+)$/.exec(location.hash);
  const last = critical.length ? critical[0] : N - 1;
  const first = wanted ? Number(wanted[1]) - 1 : last;
  if (first >= 0 && first < N + T) {
    select(first, !!wanted);
    showLane(first);
  }
  new ResizeObserver(() => {
    layout();
    fillList();
  }).observe(lanesBox);
  /* For consoles and tests: where on the screen a step is. */
  window.seam = {
    run, view, state, select, shown: () => shown,
    place(i) {
      const box = canvas.getBoundingClientRect(), lane = lanes.find((l) => l.thread === ev.thread[i]);
      return lane && { x: box.left + xAt(i) + widthAt(i) / 2, y: box.top + lane.y - lanesBox.scrollTop + lane.h / 2 };
    },
  };
  requestAnimationFrame(() => setTimeout(() => {
    performance.mark("seam:ready");
    performance.measure("seam:interactive", { start: 0, end: "seam:ready" });
    document.documentElement.dataset.ready = "yes";
  }));
}
begin();
