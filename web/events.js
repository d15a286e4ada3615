/* The list of events: only the rows in sight exist. */
const ROW = 24;
const list = $("list"), rows = $("rows");
const live = new Map();
const tip = $("tip");

function cell(name, text) {
  return el("span", { class: name, role: "gridcell", title: text }, text);
}

function makeRow(i) {
  const mark = critical.indexOf(i);
  const thread = cell("thread", threadName(ev.thread[i]));
  thread.prepend(dot(ev.thread[i]));
  const row = el("div", { class: "row", role: "row", id: "event-" + i },
    cell("n", (mark >= 0 ? "AB"[mark] + " " : "") + (i < N ? i + 1 : "")), thread,
    cell("op", (i < N ? "" : "waits: ") + opName(i) + (ev.flags[i] & AFTER ? " +" : "")),
    cell("object", [aboutOf(i), noteOf(i)].filter(Boolean).join(" ")),
    cell("result", resultOf(i)), cell("where", siteOf(i)));
  row.dataset.step = i;
  return row;
}

function markRow(row, i) {
  row.setAttribute("aria-selected", i === state.selected);
  row.classList.toggle("hover", i === state.hovered);
  row.classList.toggle("after", !!(ev.flags[i] & AFTER));
  row.classList.toggle("waits", i >= N);
  row.classList.toggle("preempt", !!(ev.flags[i] & PREEMPTION));
  row.classList.toggle("critical", critical.includes(i));
  row.classList.toggle("match", !!state.isMatch && !!state.isMatch[i]);
}

function fillList() {
  const height = list.clientHeight, from = Math.max(0, Math.floor(list.scrollTop / ROW) - 8);
  const to = Math.min(shown.length, from + Math.ceil(height / ROW) + 16);
  const wanted = new Set(shown.slice(from, to));
  rows.style.height = shown.length * ROW + "px";
  list.setAttribute("aria-rowcount", shown.length + 1);
  for (const [i, row] of live)
    if (!wanted.has(i)) {
      row.remove();
      live.delete(i);
    }
  for (let k = from; k < to; k++) {
    const i = shown[k];
    let row = live.get(i);
    if (!row) {
      row = makeRow(i);
      live.set(i, row);
      rows.append(row);
    }
    row.style.top = k * ROW + "px";
    row.setAttribute("aria-rowindex", k + 2);
    markRow(row, i);
  }
}

function scrollToRow(i) {
  const k = lowerBound(shown, i);
  const y = k * ROW, room = list.clientHeight - ROW;
  if (shown[k] === i && (y < list.scrollTop || y + ROW > list.scrollTop + room))
    list.scrollTop = Math.max(0, y - room / 2);
}

function hover(i) {
  if (i === state.hovered)
    return;
  for (const k of [state.hovered, i])
    live.get(k)?.classList.toggle("hover", k === i);
  state.hovered = i;
  redraw();
}

/* What stands beside the pointer. */
function showTip(x, y, lines) {
  tip.textContent = "";
  lines.forEach((text, k) => tip.append(el(k ? "div" : "b", {}, text)));
  tip.hidden = false;
  const box = tip.getBoundingClientRect();
  tip.style.left = Math.max(4, Math.min(innerWidth - box.width - 6, x + 14)) + "px";
  tip.style.top = (y + 18 + box.height > innerHeight ? y - box.height - 10 : y + 16) + "px";
}
function stepLines(i) {
  const lines = [`${numberOf(i)} ${titleOf(i)}`, `${threadName(ev.thread[i])} at ${siteOf(i) || "?"}`];
  if (ev.flags[i] & PREEMPTION)
    lines.push(`preempts ${threadName(ev.thread[i - 1])}, which could have gone on`);
  const wait = i < N ? null : waitsOf[ev.thread[i]].find((w) => w.open);
  if (wait && wait.more >= 0 && wait.object >= 0)
    lines.push("held by " + threadName(wait.more));
  if (resultOf(i))
    lines.push("= " + resultOf(i));
  if (critical.includes(i))
    lines.push("of the pair whose order decides");
  return lines;
}
const stepsText = (s) => (s.open ? `from step ${s.from + 1} to the end` : `steps ${s.from + 1} to ${s.to + 1}`);
function tipLines(hit) {
  if (hit.step >= 0)
    return stepLines(hit.step);
  if (hit.hold)
    return [`${objectName(hit.hold.object)} is held by ${threadName(hit.hold.thread)}`, stepsText(hit.hold),
      "since " + siteOf(hit.hold.from)];
  if (hit.wait)
    return [`${threadName(hit.wait.thread)} waits for ${waitedFor(hit.wait)}`, stepsText(hit.wait),
      hit.wait.more >= 0 ? "held by " + threadName(hit.wait.more) : ""].filter(Boolean);
  return null;
}
