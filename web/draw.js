/* Drawing: only what is in sight, and nothing twice on one pixel. */
const MONO = '11px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace';
const SANS = '11px system-ui, -apple-system, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif';
let monoWidth = 0, hatch = null, hatchTheme = "";

function clip(text, width) {
  const room = Math.floor(width / monoWidth);
  if (text.length <= room)
    return text;
  return room < 3 ? "" : text.slice(0, room - 1) + "\u2026";
}

function hatching() {
  if (hatch && hatchTheme === theme)
    return hatch;
  const tile = document.createElement("canvas");
  tile.width = tile.height = 6;
  const p = tile.getContext("2d");
  p.strokeStyle = css.muted;
  p.globalAlpha = 0.42;
  p.lineWidth = 1;
  for (const k of [-6, 0, 6]) {
    p.beginPath();
    p.moveTo(k - 1, 7);
    p.lineTo(k + 7, -1);
    p.stroke();
  }
  hatchTheme = theme;
  hatch = pen.createPattern(tile, "repeat");
  return hatch;
}

/* Calls `each` with the pixels of every span in sight; of one row, if told. */
function eachSpan(list, each, row) {
  const until = lastSeen();
  let covered = -1;
  for (let k = lowerBound(list, view.from - list.longest - 1, (s) => s.from); k < list.length && list[k].from <= until; k++) {
    const s = list[k];
    if (row !== undefined && s.row !== row)
      continue;
    const x1 = Math.max(GUTTER, xOf(s.from)), x2 = Math.min(GUTTER + view.width, xOf(s.to + (s.open ? tail() : 0)));
    if (x2 < GUTTER || x2 <= covered)
      continue;
    covered = Math.max(x2, Math.ceil(x1 + 0.5));
    each(s, x1, Math.max(1, x2 - x1));
  }
}

function niceStep(least) {
  let unit = 1;
  for (;;) {
    for (const k of [1, 2, 5])
      if (unit * k >= least)
        return unit * k;
    unit *= 10;
  }
}

function drawRuler() {
  pen.fillStyle = css.panel;
  pen.fillRect(0, 0, GUTTER + view.width, RULER);
  pen.font = SANS;
  pen.fillStyle = css.muted;
  pen.save();
  pen.beginPath();
  pen.rect(GUTTER, 0, view.width, RULER);
  pen.clip();
  const every = niceStep(56 / view.scale);
  const first = Math.max(every === 1 ? 1 : every, Math.ceil((view.from + 1) / every) * every);
  pen.textAlign = "center";
  for (let n = first; n <= N && n <= lastSeen() + 1; n += every) {
    const x = xOf(n - 0.5);
    pen.fillText(String(n), x, 17);
    pen.fillRect(Math.round(x), RULER - 4, 1, 4);
  }
  pen.restore();
  pen.fillStyle = css.line;
  pen.fillRect(0, RULER - 1, GUTTER + view.width, 1);
}

function drawGrid() {
  const every = niceStep(56 / view.scale);
  pen.fillStyle = css.faint;
  for (let n = Math.max(every, Math.ceil(view.from / every) * every); n <= N && n <= lastSeen(); n += every)
    pen.fillRect(Math.round(xOf(n - 0.5)), RULER, 1, view.height);
}

const faded = (i) => (state.isMatch ? !state.isMatch[i] : false) || !isShown(i);

function drawBox(i, y, h) {
  const c = palette[ev.thread[i]], kind = kindOf(i);
  const x = xOf(i) + 0.5, w = view.scale - 1;
  pen.globalAlpha = faded(i) ? 0.22 : 1;
  if (kind === "after") {
    pen.fillStyle = c.edge;
    pen.beginPath();
    pen.arc(x + w / 2, y + h / 2, 2, 0, 7);
    pen.fill();
    pen.globalAlpha = 1;
    return;
  }
  pen.fillStyle = kind === "acquire" ? c.solid : kind === "release" ? css.panel : c.soft;
  pen.beginPath();
  pen.roundRect(x, y, w, h, Math.min(4, w / 3));
  pen.fill();
  const hit = state.isMatch && !faded(i);
  if (kind === "release" || resultOf(i) || hit) {
    pen.strokeStyle = hit ? css.ink : resultOf(i) ? css.bad : c.edge;
    pen.lineWidth = hit ? 2 : 1.2;
    pen.stroke();
  }
  if (w > 34) {
    const first = opName(i), second = noteOf(i) || aboutOf(i) || lineOf(siteOf(i));
    pen.save();
    pen.beginPath();
    pen.rect(x, y, w, h);
    pen.clip();
    pen.font = MONO;
    pen.textAlign = "left";
    pen.fillStyle = kind === "acquire" ? (theme === "dark" ? "#0e1116" : "#fff") : css.ink;
    if (h > 26) {
      pen.fillText(clip(first, w - 8), x + 4, y + h / 2 - 3);
      pen.fillText(clip(second, w - 8), x + 4, y + h / 2 + 11);
    } else {
      pen.fillText(clip(first, w - 8), x + 4, y + h / 2 + 4);
    }
    pen.restore();
  }
  pen.globalAlpha = 1;
}

/* Holdings in the lane of their thread: thin, one below the other. */
function drawHeld(lane, y, h) {
  const rows = [-1, -1, -1];
  pen.fillStyle = palette[lane.thread].edge;
  eachSpan(holdsOf[lane.thread], (s, x, w) => {
    let r = rows.findIndex((end) => end <= s.from);
    r = r < 0 ? 2 : r;
    rows[r] = s.to;
    pen.globalAlpha = state.objects[s.object] ? 0.75 : 0.15;
    pen.fillRect(x, y + h - 3 - r * 3, w, 2);
  });
  pen.globalAlpha = 1;
}

function drawWaits(list, y, h, label) {
  eachSpan(list, (s, x, w) => {
    pen.fillStyle = hatching();
    pen.fillRect(x, y, w, h);
    if (w > 26) {
      pen.strokeStyle = css.line;
      pen.lineWidth = 1;
      pen.strokeRect(x + 0.5, y + 0.5, w - 1, h - 1);
    }
    const words = label ? label(s) : [];
    const text = words.find((t) => t.length * monoWidth < w - 12) || clip(words[words.length - 1] || "", w - 12);
    if (!text)
      return;
    pen.font = MONO;
    pen.textAlign = "left";
    pen.fillStyle = css.panel;
    pen.fillRect(x + 4, y + 2, text.length * monoWidth + 5, h - 4);
    pen.fillStyle = css.muted;
    pen.fillText(text, x + 6, y + h / 2 + 4);
  });
}

function drawThread(lane, y) {
  const t = lane.thread, steps = stepsOf[t], h = lane.h - 16, top = y + 4;
  if (steps.length) {
    const last = run.threads[t].state === "ended" ? steps[steps.length - 1] + 1 : N + tail();
    const x = Math.max(GUTTER, xOf(steps[0]));
    pen.fillStyle = css.line;
    pen.fillRect(x, top + h / 2, Math.max(0, Math.min(GUTTER + view.width, xOf(last)) - x), 1);
  }
  drawWaits(waitsOf[t], top + 5, h - 10,
    (s) => [`waits for ${waitedFor(s)}` + (s.more >= 0 && s.object >= 0 ? `, held by ${threadName(s.more)}` : ""), `waits for ${waitedFor(s)}`, waitedFor(s)]);
  if (view.scale < 5) {
    const plain = !state.isMatch && shown.length === N;
    pen.fillStyle = plain ? palette[t].solid : palette[t].soft;
    eachSpan(blocksOf[t], (s, x, w) => pen.fillRect(x, top, w, h));
    if (!plain)
      drawTicks(steps, top, h, palette[t].solid);
  } else {
    for (let k = lowerBound(steps, Math.floor(view.from) - 1); k < steps.length && steps[k] <= lastSeen(); k++)
      drawBox(steps[k], top, h);
  }
  drawHeld(lane, y, lane.h);
}

/* Those that are looked for, where boxes would be too small. */
function drawTicks(steps, y, h, colour) {
  let covered = -1;
  pen.fillStyle = colour;
  for (let k = lowerBound(steps, Math.floor(view.from)); k < steps.length && steps[k] <= lastSeen(); k++) {
    const x = Math.floor(xOf(steps[k]));
    if (faded(steps[k]) || x <= covered)
      continue;
    covered = x;
    pen.fillRect(x, y, Math.max(1, view.scale), h);
  }
}

function drawObject(lane, y) {
  const o = lane.object, h = lane.h - 8, top = y + 4;
  const owned = holdsOn[o].length > 0;
  if (owned)
    drawWaits(waitsOn[o], top + h - 5, 5, null);
  else
    drawWaits(waitsOn[o], top, h, view.scale < 30 ? null : (s) => [`${threadName(s.thread)} waits`, threadName(s.thread)]);
  const bar = (s, x, w) => {
    const c = palette[s.thread];
    pen.globalAlpha = state.threads[s.thread] ? 1 : 0.2;
    pen.fillStyle = s.more ? c.soft : c.solid;
    pen.beginPath();
    const y = top + s.row * ROW_H;
    pen.roundRect(x, y, w, 15, Math.min(3, w / 3));
    pen.fill();
    const text = w > 28 ? clip([threadName(s.thread), s.more ? "(read)" : "", noteOf(s.from)].filter(Boolean).join(" "), w - 10) : "";
    if (text) {
      pen.font = MONO;
      pen.textAlign = "left";
      pen.fillStyle = s.more ? css.ink : theme === "dark" ? "#0e1116" : "#fff";
      pen.fillText(text, x + 5, y + 11.5);
    }
    pen.globalAlpha = 1;
  };
  for (let row = 0; row < holdsOn[o].rows; row++)
    eachSpan(holdsOn[o], bar, row);
  if (!owned)
    drawPoints(stepsOn[o], top + h / 2);
}

/* What nobody owns is shown by what is done to it. */
function drawPoints(steps, y) {
  let covered = -1;
  for (let k = lowerBound(steps, Math.floor(view.from)); k < steps.length && steps[k] <= lastSeen(); k++) {
    const i = steps[k], x = xOf(i + 0.5);
    if (x <= covered)
      continue;
    covered = x + 1;
    pen.globalAlpha = faded(i) ? 0.2 : 1;
    pen.fillStyle = palette[ev.thread[i]].solid;
    pen.beginPath();
    pen.arc(x, y, Math.max(1.5, Math.min(5, view.scale / 2)), 0, 7);
    pen.fill();
    const text = view.scale > 60 ? clip(opName(i), view.scale - 16) : "";
    pen.fillStyle = css.ink;
    pen.font = MONO;
    pen.textAlign = "left";
    if (text)
      pen.fillText(text, x + 8, y + 4);
  }
  pen.globalAlpha = 1;
}

/* Lines from thread to thread; preemptions above all. */
function drawSwitches(top) {
  const where = new Map(lanes.filter((l) => l.thread >= 0).map((l) => [l.thread, l]));
  let covered = -1, k = lowerBound(blocks, view.from, (b) => b.from);
  for (; k < blocks.length && blocks[k].from <= lastSeen(); k++) {
    const i = blocks[k].from, x = Math.round(xOf(i));
    const to = where.get(blocks[k].thread), from = k ? where.get(blocks[k - 1].thread) : null;
    const hard = ev.flags[i] & PREEMPTION;
    if (!from || !to || (!hard && (view.scale < 6 || x <= covered)))
      continue;
    const y1 = from.y + from.h / 2 - top, y2 = to.y + to.h / 2 - top;
    pen.fillStyle = hard ? css.preempt : css.line;
    const bold = hard && view.scale >= 8;
    pen.globalAlpha = hard && !bold ? 0.34 : 1;
    if (!hard || view.scale >= 1)
      pen.fillRect(x - (bold ? 1 : 0), Math.min(y1, y2), bold ? 2 : 1, Math.abs(y2 - y1));
    covered = x;
    if (!hard)
      continue;
    pen.globalAlpha = 1;
    const size = view.scale < 8 ? 3 : 5, y = to.y - top;
    if (view.scale < 1) {
      pen.fillRect(x, y, 1, 3);
      continue;
    }
    pen.beginPath();
    pen.moveTo(x - size, y - 1);
    pen.lineTo(x + size, y - 1);
    pen.lineTo(x, y + size + 1);
    pen.fill();
  }
  pen.globalAlpha = 1;
}

function ring(i, top, colour, width) {
  const lane = lanes.find((l) => l.thread === ev.thread[i]);
  if (!lane)
    return;
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.beginPath();
  pen.roundRect(xAt(i) - 1, lane.y - top + 2, Math.max(4, widthAt(i) + 2), lane.h - 12, 5);
  pen.stroke();
}

function flag(x, text) {
  const at = Math.max(GUTTER + 10, Math.min(GUTTER + view.width - 10, x));
  pen.fillStyle = css.critical;
  pen.beginPath();
  pen.roundRect(at - 9, 4, 18, 17, 4);
  pen.fill();
  pen.fillStyle = css.panel;
  pen.font = "bold " + SANS;
  pen.textAlign = "center";
  pen.fillText(text, at, 17);
}

function drawBands() {
  pen.fillStyle = css.critical;
  pen.globalAlpha = 0.12;
  for (const i of critical)
    pen.fillRect(xAt(i), RULER, Math.max(2, widthAt(i)), view.height);
  pen.globalAlpha = 1;
}

/* Returns what draws the flags, which stand on the ruler. */
function drawCritical(top) {
  const names = ["A", "B"];
  critical.forEach((i) => {
    pen.fillStyle = css.critical;
    pen.fillRect(Math.round(xAt(i) + widthAt(i) / 2), RULER, 1, view.scale < 4 ? view.height : 0);
    ring(i, top, css.critical, 2.5);
  });
  if (critical.length === 2)
    drawArc(top);
  return () => critical.forEach((i, k) => flag(xAt(i) + widthAt(i) / 2, names[k]));
}

function drawArc(top) {
  const [a, b] = critical.map((i) => {
    const lane = lanes.find((l) => l.thread === ev.thread[i]);
    return lane && { x: xAt(i) + widthAt(i) / 2, w: widthAt(i) / 2 + 1, h: (lane.h - 12) / 2 + 1, y: lane.y - top + (lane.h - 12) / 2 + 2 };
  });
  if (!a || !b)
    return;
  const way = b.x > a.x ? 1 : -1, down = b.y > a.y ? 1 : -1;
  const x1 = a.x + a.w * way, x2 = b.x - (b.w + 3) * way, mid = (x1 + x2) / 2;
  pen.strokeStyle = pen.fillStyle = css.critical;
  pen.lineWidth = 2;
  pen.beginPath();
  if ((x2 - x1) * way > 20) {
    pen.moveTo(x1, a.y);
    pen.bezierCurveTo(mid, a.y, mid, b.y, x2, b.y);
    pen.stroke();
    arrowHead(x2 + 3 * way, b.y, way, 0);
  } else if (a.y !== b.y) {
    /* No room between them: from below the one to above the other. */
    const y1 = a.y + a.h * down, y2 = b.y - (b.h + 2) * down, turn = (y1 + y2) / 2;
    pen.moveTo(a.x, y1);
    pen.bezierCurveTo(a.x, turn, b.x, turn, b.x, y2 - 4 * down);
    pen.stroke();
    arrowHead(b.x, y2, 0, down);
  }
}

function arrowHead(x, y, dx, dy) {
  pen.beginPath();
  pen.moveTo(x, y);
  pen.lineTo(x - 9 * dx - 5 * dy, y - 9 * dy - 5 * dx);
  pen.lineTo(x - 9 * dx + 5 * dy, y - 9 * dy + 5 * dx);
  pen.fill();
}

function drawEnd() {
  const x = Math.round(xOf(N));
  if (x > GUTTER + view.width)
    return;
  pen.fillStyle = run.fault === "none" ? css.line : css.bad;
  pen.fillRect(x, RULER - 8, run.fault === "none" ? 1 : 2, view.height);
}

function draw() {
  const top = lanesBox.scrollTop;
  if (!monoWidth) {
    pen.font = MONO;
    monoWidth = pen.measureText("mmmmmmmmmm").width / 10;
  }
  pen.clearRect(0, 0, GUTTER + view.width, view.height);
  pen.save();
  pen.beginPath();
  pen.rect(GUTTER, RULER, view.width, view.height - RULER);
  pen.clip();
  drawGrid();
  drawBands();
  for (const lane of lanes) {
    const y = lane.y - top;
    if (y > view.height || y + lane.h < RULER)
      continue;
    if (lane.thread >= 0)
      drawThread(lane, y);
    else if (!lane.head)
      drawObject(lane, y);
  }
  drawSwitches(top);
  drawEnd();
  const flags = drawCritical(top);
  if (state.hovered >= 0)
    ring(state.hovered, top, css.muted, 1.5);
  if (state.selected >= 0) {
    pen.fillStyle = css.accent;
    pen.globalAlpha = 0.55;
    pen.fillRect(Math.round(xAt(state.selected) + widthAt(state.selected) / 2), RULER, 1, view.height);
    pen.globalAlpha = 1;
    ring(state.selected, top, css.accent, 2.5);
  }
  pen.restore();
  drawLaneLines(top);
  drawRuler();
  flags();
}

function drawLaneLines(top) {
  pen.fillStyle = css.line;
  for (const lane of lanes)
    if (lane.y + lane.h - top > RULER)
      pen.fillRect(lane.head ? 0 : 12, lane.y + lane.h - top - 0.5, GUTTER + view.width, 0.5);
  pen.fillRect(GUTTER - 1, 0, 1, view.height);
}

/* The whole run, small; kept as a picture, and the window drawn over it. */
let mapPicture = null;
function paintMap(width) {
  const picture = document.createElement("canvas");
  picture.width = Math.round(width * view.dpr);
  picture.height = Math.round(36 * view.dpr);
  const p = picture.getContext("2d");
  const rows = lanes.filter((l) => l.thread >= 0), h = Math.max(1, 26 / Math.max(1, rows.length));
  p.scale(view.dpr, view.dpr);
  rows.forEach((lane, r) => {
    let covered = -1;
    p.fillStyle = palette[lane.thread].solid;
    for (const s of blocksOf[lane.thread]) {
      const x1 = (s.from / N) * width, x2 = (s.to / N) * width;
      if (x2 <= covered)
        continue;
      p.fillRect(x1, 5 + r * h, Math.max(0.7, x2 - x1), Math.max(1, h - 1));
      covered = x1 + 0.7;
    }
  });
  p.fillStyle = css.preempt;
  for (const i of preemptions)
    p.fillRect((i / N) * width - 0.5, 0, 1, 4);
  return picture;
}
const mapWidth = () => view.width;
function drawMap() {
  const width = mapWidth();
  if (!mapPicture)
    mapPicture = paintMap(width);
  mapPen.clearRect(0, 0, GUTTER + width + 40, 36);
  mapPen.drawImage(mapPicture, GUTTER, 0, width, 36);
  for (const i of critical) {
    mapPen.fillStyle = css.critical;
    mapPen.fillRect(GUTTER + (Math.min(i, N) / N) * width - 1, 0, 3, 36);
  }
  const x1 = GUTTER + (view.from / N) * width, x2 = GUTTER + (Math.min(N, lastSeen()) / N) * width;
  mapPen.fillStyle = css.bg;
  mapPen.globalAlpha = 0.66;
  mapPen.fillRect(GUTTER, 0, x1 - GUTTER, 36);
  mapPen.fillRect(x2, 0, GUTTER + width - x2, 36);
  mapPen.globalAlpha = 1;
  mapPen.strokeStyle = css.accent;
  mapPen.lineWidth = 1.5;
  mapPen.strokeRect(x1 + 0.75, 0.75, Math.max(3, x2 - x1 - 1.5), 34.5);
  mapPen.font = SANS;
  mapPen.fillStyle = css.muted;
  mapPen.fillText(`the whole run: ${N}`, 14, 22);
}
