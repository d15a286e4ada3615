/* Where things stand: lanes from top to bottom, steps from left to right. */
const GUTTER = 172, RULER = 26, MAX_SCALE = 170, ROW_H = 16;
const lanesBox = $("lanes"), canvas = $("canvas"), map = $("map");
const pen = canvas.getContext("2d"), mapPen = map.getContext("2d");
const view = { from: 0, scale: 1, width: 0, height: 0, dpr: 1 };
let lanes = [], lanesHeight = 0;

/* Behind the last step there is room for what never ends. */
const TAIL = waits.some((w) => w.open) ? 236 : 46;
const tail = () => Math.max(0.6, TAIL / view.scale);
const fitScale = () => Math.max(1e-4, Math.min(MAX_SCALE, (view.width - TAIL - 6) / Math.max(1, N)));
const xOf = (step) => GUTTER + (step - view.from) * view.scale;
/* What waits at the end stands behind the last step. */
const xAt = (i) => xOf(Math.min(i, N));
const widthAt = (i) => (i < N ? view.scale : TAIL - 10);
const stepAt = (x) => view.from + (x - GUTTER) / view.scale;
const lastSeen = () => view.from + view.width / view.scale;

function clampView() {
  view.scale = Math.max(Math.min(fitScale(), MAX_SCALE), Math.min(MAX_SCALE, view.scale));
  const most = N + tail() - view.width / view.scale;
  view.from = Math.max(0, Math.min(view.from, most));
}

function makeLanes() {
  const threads = [], objects = [];
  for (let t = 0; t < T; t++)
    if (state.threads[t] && (stepsOf[t].length || run.threads[t].pending))
      threads.push(t);
  for (let o = 0; o < O; o++)
    if (state.objects[o] && (holdsOn[o].length || waitsOn[o].length || stepsOn[o].length))
      objects.push(o);
  /* What is owned or waited for comes first. */
  const weight = (o) => (waitsOn[o].length ? 2 : 0) + (holdsOn[o].length ? 1 : 0);
  objects.sort((a, b) => weight(b) - weight(a) || a - b);
  const tall = threads.length <= 5 ? 54 : threads.length <= 9 ? 45 : threads.length <= 14 ? 36 : 26;
  let y = RULER + 4;
  lanes = [];
  for (const t of threads) {
    lanes.push({ thread: t, object: -1, y, h: tall });
    y += tall;
  }
  if (objects.length) {
    lanes.push({ head: true, thread: -1, object: -1, y, h: 28 });
    y += 28;
  }
  for (const o of objects) {
    const h = 30 + (holdsOn[o].rows - 1) * ROW_H;
    lanes.push({ thread: -1, object: o, y, h });
    y += h;
  }
  lanesHeight = y + 10;
}

const OBJECT_TEXT = "Locks and other objects: who holds them";

function dot(t) {
  const d = el("i", { class: "dot", "data-thread": t });
  d.style.background = palette[t].solid;
  return d;
}

function stateText(t) {
  const th = run.threads[t], p = th.pending;
  if (th.state !== "waits" || !p)
    return { waits: "waits", ready: "could go on", runs: "ran last", outside: "waits outside", ended: "ended", none: "" }[th.state];
  return "waits: " + (p.object >= 0 ? objectName(p.object) : threadPath(p.peer));
}

function fillGutter() {
  const gutter = $("gutter");
  gutter.textContent = "";
  for (const lane of lanes) {
    if (lane.head) {
      const head = el("div", { class: "lane-head" }, OBJECT_TEXT);
      head.style.top = lane.y + 9 + "px";
      gutter.append(head);
      continue;
    }
    const isThread = lane.thread >= 0;
    const name = isThread ? threadName(lane.thread) : objectName(lane.object);
    const small = isThread ? stateText(lane.thread) : run.objects[lane.object].kind;
    const box = el("div", { class: "lane-name" + (isThread ? "" : " object") + (lane.h < 30 ? " low" : ""), title: isThread ? `${name}: ${small}` : `${small} ${name}` },
      isThread ? dot(lane.thread) : null,
      el("span", { class: "text" }, el("b", {}, name), el("small", {}, small)));
    box.style.top = lane.y + "px";
    box.style.height = lane.h + "px";
    gutter.append(box);
  }
}

function sizeCanvas(node, context, width, height) {
  view.dpr = window.devicePixelRatio || 1;
  node.style.width = width + "px";
  node.style.height = height + "px";
  node.width = Math.round(width * view.dpr);
  node.height = Math.round(height * view.dpr);
  context.setTransform(view.dpr, 0, 0, view.dpr, 0, 0);
}

function layout() {
  const whole = view.width && Math.abs(view.scale - fitScale()) < 1e-9;
  makeLanes();
  fillGutter();
  const width = lanesBox.clientWidth, height = lanesBox.clientHeight;
  $("space").style.height = Math.max(lanesHeight, height) + "px";
  view.width = Math.max(60, width - GUTTER);
  view.height = height;
  sizeCanvas(canvas, pen, width, height);
  sizeCanvas(map, mapPen, map.parentNode.clientWidth, 36);
  if (whole)
    view.scale = fitScale();
  clampView();
  mapPicture = null;
  redraw();
}

let waiting = false;
function redraw() {
  if (waiting)
    return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    draw();
    drawMap();
  });
}

function zoom(factor, x = GUTTER + view.width / 2) {
  const at = stepAt(x);
  view.scale *= factor;
  clampView();
  view.from = at - (x - GUTTER) / view.scale;
  clampView();
  redraw();
}
function pan(pixels) {
  view.from += pixels / view.scale;
  clampView();
  redraw();
}
function fit() {
  view.scale = fitScale();
  view.from = 0;
  clampView();
  redraw();
}
/* Into sight, and large enough to be read if it is far too small. */
function reveal(step) {
  if (view.scale < 9) {
    view.scale = Math.min(MAX_SCALE, 26);
    view.from = Math.min(step, N) - view.width / view.scale / 2;
  } else if (xAt(step) < GUTTER + 20 || xAt(step) + widthAt(step) > GUTTER + view.width - 30) {
    view.from = Math.min(step, N) - view.width / view.scale / 2;
  }
  clampView();
  showLane(step);
  redraw();
}
function showLane(step) {
  const lane = lanes.find((l) => l.thread === ev.thread[step]);
  if (lane && lane.y < lanesBox.scrollTop + RULER)
    lanesBox.scrollTop = lane.y - RULER;
  else if (lane && lane.y + lane.h > lanesBox.scrollTop + view.height)
    lanesBox.scrollTop = lane.y + lane.h - view.height;
}

/* What lies under a point of the canvas. */
function laneAt(y) {
  const at = y + lanesBox.scrollTop;
  return y < RULER ? null : lanes.find((l) => at >= l.y && at < l.y + l.h) || null;
}
function spanUnder(list, step, row) {
  for (let k = lowerBound(list, step - list.longest - 1, (s) => s.from); k < list.length && list[k].from <= step; k++)
    if (step < list[k].to + (list[k].open ? tail() : 0) && (row === undefined || list[k].row === row))
      return list[k];
  return null;
}
/* The nearest of these steps within a few pixels. */
function nearest(steps, step) {
  const k = lowerBound(steps, Math.floor(step));
  let best = -1, far = Math.max(1, 5 / view.scale);
  for (const i of [steps[k - 1], steps[k], steps[k + 1]]) {
    const d = i === undefined ? Infinity : Math.abs(i + 0.5 - step);
    if (d < far) {
      far = d;
      best = i;
    }
  }
  return best;
}
function under(x, y) {
  const lane = laneAt(y), step = stepAt(x);
  if (!lane || lane.head || x < GUTTER)
    return null;
  const own = lane.thread >= 0;
  const exact = Math.floor(step);
  const steps = own ? stepsOf[lane.thread] : stepsOn[lane.object];
  let i = -1;
  if (own && exact >= 0 && exact < N && ev.thread[exact] === lane.thread)
    i = exact;
  else if (own && exact >= N && isWaiting(lane.thread))
    i = N + lane.thread;
  else if (view.scale < 8 || !own)
    i = nearest(steps, step);
  if (i >= 0 && !isShown(i))
    i = -1;
  const row = Math.floor((y + lanesBox.scrollTop - lane.y - 4) / ROW_H);
  const hold = own ? null : spanUnder(holdsOn[lane.object], step, row);
  const wait = spanUnder(own ? waitsOf[lane.thread] : waitsOn[lane.object], step);
  return { lane, step: i, hold, wait };
}
