/* The panel beside: one event in full, its source, the message, the run. */
function eventLink(i, text) {
  return el("button", { type: "button", class: "link", onclick: () => select(i, true) }, text || numberOf(i));
}

/* What the run was about to do when it ended is a place, too. */
function sourceBox(site) {
  const text = run.sites[site], source = run.sources[site];
  if (!text)
    return null;
  const box = el("div", { class: "source" }, el("div", { class: "file" }, source ? `${text} \u2014 ${source.path}` : text));
  if (!source) {
    box.append(el("div", { class: "file" }, "its source could not be read when this page was made"));
    return box;
  }
  const lines = el("div", { class: "lines", tabindex: "0" });
  source.lines.forEach((line, k) => {
    const n = source.first + k;
    const row = el("div", { class: n === source.line ? "line here" : "line" }, el("i", {}, String(n)));
    row.append(line || " ");
    lines.append(row);
  });
  box.append(lines);
  return box;
}

function heldBefore(i) {
  return holdsOf[ev.thread[i]].filter((h) => h.from < i && (h.to >= i || h.open));
}

function notesOf(i) {
  const notes = el("ul", { class: "notes" });
  const note = (kind, ...parts) => notes.append(el("li", { class: kind }, ...parts));
  if (critical.includes(i)) {
    const other = critical[1 - critical.indexOf(i)];
    note("critical", "Of the pair whose order decides", other === undefined ? "" : "; the other is ",
      other === undefined ? "" : eventLink(other, `${numberOf(other)} ${titleOf(other)}`));
  }
  if (ev.flags[i] & PREEMPTION)
    note("preempt", `Preempts ${threadName(ev.thread[i - 1])}, which could have gone on after `, eventLink(i - 1, `#${i} ${titleOf(i - 1)}`));
  if (resultOf(i))
    note("bad", `Its result: ${resultOf(i)}`);
  const last = waitsOf[ev.thread[i]].find((w) => w.open);
  if (i >= N && last)
    note("bad", `Waits for ${waitedFor(last)} from step ${last.from + 1} to the end` + (last.more >= 0 && last.object >= 0 ? `, held by ${threadName(last.more)}` : ""));
  const wait = waitsOf[ev.thread[i]].filter((w) => w.to === i && !w.open).pop();
  if (wait && i < N)
    note("", `Had waited for ${waitedFor(wait)} since step ${wait.from + 1}` + (wait.more >= 0 && wait.object >= 0 ? `, held by ${threadName(wait.more)}` : ""));
  const hold = holdsOf[ev.thread[i]].find((h) => h.from === i);
  if (hold)
    note("", `Holds ${objectName(hold.object)} `, hold.open ? "to the end of the run" : "until ", hold.open ? "" : eventLink(hold.to));
  const held = heldBefore(i);
  if (held.length)
    note("", "Holding ", ...held.flatMap((h, k) => [k ? ", " : "", objectName(h.object) + " since ", eventLink(h.from)]));
  if (noteOf(i))
    note("", "Range: " + noteOf(i));
  return notes;
}

/* What a thread stood at when the run was over. */
function pendingBox(t) {
  const th = run.threads[t], p = th.pending;
  if (!p || th.state !== "waits")
    return null;
  const what = p.object >= 0 ? objectName(p.object) : threadPath(p.peer);
  return el("div", {}, el("ul", { class: "notes" }, el("li", { class: "bad" }, `At the end it waits: ${run.ops[p.op]} ${what}`)), sourceBox(p.site));
}

function showEvent() {
  const box = $("event"), i = state.selected;
  box.textContent = "";
  if (i < 0)
    return;
  const t = ev.thread[i], own = stepsOf[t], k = lowerBound(own, i);
  const step = (text, to) => {
    const b = el("button", { type: "button", onclick: () => select(to, true) }, text);
    b.disabled = to === undefined;
    return b;
  };
  box.append(
    el("h2", {}, titleOf(i)),
    el("p", { class: "path" }, dot(t), el("span", {}, threadPath(t) + (run.threads[t].name ? ` (${run.threads[t].name})` : "")), el("span", {}, i < N ? `step ${i + 1} of ${N}` : "when the run ended")),
    sourceBox(ev.site[i]) || "", notesOf(i));
  if (k === own.length - 1)
    box.append(pendingBox(t) || "");
  box.append(el("div", { class: "steps" }, step("\u2039 its previous", own[k - 1]), step("its next \u203a", own[k + 1]),
    ev.object[i] >= 0 ? step("next on " + clipEnd(objectName(ev.object[i]), 18) + " \u203a", stepsOn[ev.object[i]].find((s) => s > i)) : null));
}
const clipEnd = (text, n) => (text.length > n ? text.slice(0, n - 1) + "\u2026" : text);

function select(i, show) {
  state.selected = i;
  showEvent();
  if (show)
    reveal(i);
  scrollToRow(i);
  fillList();
  redraw();
  try {
    history.replaceState(null, "", i < N ? "#step=" + (i + 1) : "#");
  } catch {
    /* A page in a frame may not. */
  }
}

function quoted(word) {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : "'" + word.replaceAll("'", "'\\''") + "'";
}
function copyButton(text) {
  const b = el("button", { type: "button", onclick: async () => {
    try {
      await navigator.clipboard.writeText(text);
      b.textContent = "copied";
    } catch {
      b.textContent = "select it";
    }
  } }, "copy");
  return b;
}

const plural = (n, one, many) => `${n} ${n === 1 ? one : many || one + "s"}`;
function fillHead() {
  const command = run.command.map(quoted).join(" ");
  const lines = run.message.split("\n");
  document.title = `${run.fault}: ${command} \u2014 seam`;
  $("program").textContent = run.command.map((w, k) => (k ? w : w.split("/").pop())).join(" ");
  $("program").title = command;
  $("fault").textContent = run.fault === "none" ? "did not fail" : run.fault;
  $("fault").classList.toggle("none", run.fault === "none");
  $("figures").textContent = [plural(N, "step"), plural(T, "thread"), processes > 1 ? plural(processes, "process", "processes") : "",
    plural(run.switches, "switch", "switches"), plural(run.preemptions, "preemption")].filter(Boolean).join(" \u00b7 ");
  $("headline").textContent = lines[0];
  $("report").textContent = run.message.trimEnd();
  $("report-card").hidden = !run.message;
  $("output").textContent = run.output;
  $("output-card").hidden = !run.output;
  $("output-note").textContent = run.output_skipped ? `(its first ${run.output_skipped} bytes are left out)` : "";
  const facts = $("facts");
  const fact = (name, ...value) => facts.append(el("dt", {}, name), el("dd", {}, ...value));
  fact("command", el("code", {}, command));
  fact("directory", el("code", {}, run.dir));
  if (run.replay) {
    const again = "seam replay " + quoted(run.replay);
    fact("run it again", el("code", {}, again), copyButton(again));
  }
  if (run.schedule)
    fact("found in", `schedule ${run.schedule}`);
  fact("strategy", run.strategy || "?");
  fact("decisions", String(run.decisions));
  fact("switches", `${run.switches}, ${run.preemptions} of them preemptions`);
  fact("virtual time", `${run.virtual_ns / 1e6} ms`);
  fact("made by", `seam ${run.seam}`);
}

function fillPair() {
  $("pair").hidden = !critical.length && !run.because;
  $("because").textContent = run.because;
  [$("pair-a"), $("pair-b")].forEach((button, k) => {
    const i = critical[k];
    button.hidden = i === undefined;
    if (i === undefined)
      return;
    button.append(el("b", {}, "AB"[k]), `${numberOf(i)} ${threadName(ev.thread[i])} ${titleOf(i)} ${lineOf(siteOf(i))}`);
    button.addEventListener("click", () => select(i, true));
  });
  document.querySelector(".then").hidden = critical.length < 2;
}
