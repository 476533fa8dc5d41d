// The panel of voices: a table of one page at a time, what it costs, and nothing that cannot be taken back unasked.

const COLUMNS = [
  ["name", ""], ["kind", "p1"], ["language", "p3"], ["created_at", "is-right p1"], ["last_used_at", "is-right p3"],
  ["days_left", "is-right"], ["takes", "is-right p2"], ["cost", "is-right p2"],
];

function quotaBar(view, roll) {
  const text = h("span", { class: "vc-quiet vc-num" }), bar = h("span", { class: "vc-bar vc-quota", "aria-hidden": "true" }, h("i", {}));
  view.on(roll, "table", () => {
    text.textContent = view.say("quota", { used: roll.used.toLocaleString(), quota: roll.quota.toLocaleString() });
    bar.style.setProperty("--at", roll.quota ? roll.used / roll.quota : 0);
  });
  return h("span", { class: "vc-row" }, text, bar);
}

function pickOf(view, name, options, change) {
  const select = h("select", { "aria-label": view.say(`filter.${name}`) }, ...options.map((value) => h("option", { value }, view.say(`${name}.${value || "all"}`))));
  view.on(select, "change", () => change(select.value));
  return h("span", { class: "vc-pick" }, select, icon("more"));
}

function toolbar(view, roll, ask) {
  const { say } = view;
  const search = h("input", { class: "vc-input", type: "search", "aria-label": say("search"), placeholder: say("search.hint") });
  view.on(search, "input", () => roll.set({ query: search.value }));
  const count = h("span", { class: "vc-quiet vc-num", role: "status" });
  const remove = h("button", { class: "vc-button is-danger", type: "button" });
  view.on(remove, "click", () => roll.chosen.size && ask([...roll.chosen]));
  const show = () => {
    const n = roll.chosen.size;
    count.textContent = n ? say("chosen", { n }) : say("chosen.none");
    remove.replaceChildren(icon("bin"), n ? say("delete.n", { n }) : say("delete"));
    remove.setAttribute("aria-disabled", String(!n));
  };
  for (const name of ["table", "chosen"]) view.on(roll, name, show);
  show();
  const bar = h("div", { class: "vc-tools" }, h("span", { class: "vc-with-icon vc-search" }, icon("search"), search),
    pickOf(view, "kind", ["", "realtime", "http"], (kind) => roll.set({ kind })),
    pickOf(view, "state", ["", "soon", "unused", "source"], (state) => roll.set({ state })),
    h("span", { class: "vc-row vc-chosen" }, count, remove));
  return { bar, search };
}

function tableOf(view, roll, ear, ask) {
  const { say } = view;
  const heads = COLUMNS.map(([by, kind]) => {
    const button = h("button", { type: "button" }), th = h("th", { scope: "col", class: kind || null }, button);
    view.on(button, "click", () => roll.order(by));
    return { by, th, button };
  });
  const body = h("tbody", {});
  const table = h("table", { class: "vc-table" }, h("caption", { class: "vc-only-reader" }, say("caption")),
    h("thead", {}, h("tr", { "aria-rowindex": 1 }, h("th", { scope: "col" }, h("span", { class: "vc-only-reader" }, say("choose"))),
      ...heads.map(({ th }) => th), h("th", { scope: "col" }, say("hear")))), body);
  let boxes = [], focus = 0, drawn = null, held = null;
  const page = () => Math.floor(roll.at / PAGE) * PAGE;
  const act = {
    go(index) {
      const n = roll.shown.length;
      focus = Math.max(0, Math.min(n - 1, index));
      if (focus < page() || focus >= page() + PAGE) { roll.at = focus; roll.tell("change"); }
      boxes[focus - page()]?.focus();
    },
    choose(index, on) { roll.anchor = index; roll.choose([roll.shown[index].voice], on); },
    range(index) {
      const [from, to] = [roll.anchor ?? index, index].sort((a, b) => a - b);
      roll.choose(roll.shown.slice(from, to + 1).map((row) => row.voice), true);
    },
    remove(row) { ask(roll.chosen.has(row.voice) ? [...roll.chosen] : [row.voice]); },
    focused(index) {
      focus = index;
      boxes.forEach((box, i) => { box.tabIndex = i + page() === focus ? 0 : -1; });
    },
  };
  const draw = () => {
    if (body.querySelector("form") && body.contains(view.el.ownerDocument.activeElement)) return; // somebody writes here
    held?.abort();
    held = new AbortController();
    view.rowSignal = AbortSignal.any([view.signal, held.signal]);
    const had = body.contains(view.el.ownerDocument.activeElement), shown = roll.shown;
    roll.at = Math.max(0, Math.min(roll.at, shown.length - 1));
    drawn = shown.slice(page(), page() + PAGE).map((row, i) => voiceRow(view, roll, ear, row, page() + i, act));
    boxes = drawn.map(({ box }) => box);
    body.replaceChildren(...drawn.map(({ tr }) => tr));
    table.setAttribute("aria-rowcount", shown.length + 1);
    focus = Math.max(page(), Math.min(focus, shown.length - 1, page() + PAGE - 1));
    act.focused(focus);
    if (had) boxes[focus - page()]?.focus();
    for (const { by, th, button } of heads) {
      const way = roll.sort[0] === by ? (roll.sort[1] > 0 ? "ascending" : "descending") : null;
      // What is shown as an age grows while the moment it counts from grows less.
      const spoken = ["created_at", "last_used_at"].includes(by) && way ? (way === "ascending" ? "descending" : "ascending") : way;
      if (spoken) th.setAttribute("aria-sort", spoken); else th.removeAttribute("aria-sort");
      button.replaceChildren(say(`column.${by}`), ...(spoken ? [icon(spoken === "ascending" ? "less" : "more")] : []));
    }
  };
  for (const name of ["table", "change"]) view.on(roll, name, draw);
  return { scroll: h("div", { class: "vc-scroll", role: "region", "aria-label": say("caption"), tabindex: "0" }, table), act, draw };
}

/** Asks before it deletes, in place; then offers to take it back, at its price. */
function noticeOf(view, roll, back) {
  const { say, model } = view, price = (n) => `$${(n * model.get("price")).toFixed(2)}`;
  const line = h("div", { class: "vc-notice is-flat", role: "status", hidden: true });
  const button = (words, name, run, kind = "") => {
    const made = h("button", { class: `vc-button ${kind}`, type: "button" }, icon(name), words);
    view.on(made, "click", run);
    return made;
  };
  const fill = (name, what, text, ...actions) => {
    line.hidden = false;
    line.replaceChildren(icon(name), h("div", {}, h("p", { class: "vc-text" }, h("b", {}, what), h("span", {}, text)), h("div", { class: "vc-actions" }, ...actions)));
  };
  const hide = () => { line.hidden = true; line.replaceChildren(); clearInterval(line.timer); };
  view.signal.addEventListener("abort", hide);
  const names = (voices) => (voices.length > 3 ? say("voices.n", { n: voices.length }) : voices.map((voice) => roll.named(voice)).join(", "));
  const ask = (voices) => {
    clearInterval(line.timer);
    line.dataset.verdict = "warn";
    const keep = button(say("keep"), "close", () => { hide(); back(); });
    const go = button(say("delete.n", { n: voices.length }), "bin", () => { hide(); back(); order(model, { type: "delete", voices }); }, "is-danger");
    fill("bin", say("delete.ask", { names: names(voices) }), say("delete.free", { price: price(1) }), keep, go);
    keep.focus();
  };
  const offer = () => {
    if (!roll.notice) return line.dataset.verdict ? undefined : hide();
    const { voices } = roll.notice, can = voices.filter((voice) => roll.deleted.find((row) => row.voice === voice)?.clip);
    delete line.dataset.verdict;
    line.dataset.left = UNDO_S;
    const rest = h("span", { class: "vc-quiet vc-num" }), end = () => roll.note(null);
    const undo = can.length ? [button(say("undo", { price: price(can.length) }), "undo", () => { end(); back(); order(model, { type: "restore", voices: can }); })] : [];
    fill("undo", say("deleted", { names: names(voices) }), say(can.length ? "undo.why" : "undo.not", { n: can.length, price: price(1) }), rest, ...undo,
      button(say("close"), "close", () => { end(); back(); }, "is-plain"));
    const tick = () => {
      const left = line.dataset.left = line.contains(document.activeElement) ? Math.max(1, line.dataset.left) : line.dataset.left - 1;
      rest.textContent = say("undo.rest", { n: Math.max(0, left) });
      if (left <= 0) end();
    };
    clearInterval(line.timer);
    rest.textContent = say("undo.rest", { n: UNDO_S });
    line.timer = setInterval(tick, 1000);
    return undefined;
  };
  view.on(roll, "notice", offer);
  return { line, ask };
}

/** What was deleted and can come back. */
function historyOf(view, roll) {
  const { say, model } = view, list = h("ul", { class: "vc-list" }), name = h("summary", {}, "");
  const box = h("details", { class: "vc-history", hidden: true }, name, list);
  view.on(roll, "table", () => {
    box.hidden = !roll.deleted.length;
    name.textContent = say("history", { n: roll.deleted.length });
    list.replaceChildren(...roll.deleted.slice(0, 50).map((row) => {
      const undo = h("button", { class: "vc-button is-small", type: "button", "aria-label": `${say("restore", { price: `$${model.get("price").toFixed(2)}` })}, ${row.label || row.name}` },
        icon("undo"), say("restore", { price: `$${model.get("price").toFixed(2)}` }));
      undo.addEventListener("click", view.guarded(() => model.get("working") || order(model, { type: "restore", voices: [row.voice] })));
      return h("li", { class: "vc-item vc-gone" }, h("p", { class: "vc-title vc-cut" }, h("bdi", {}, row.label || row.name), " ", h("span", { class: "vc-quiet vc-mono" }, `…${row.voice.slice(-4)}`)), row.clip !== null && undo);
    }));
  });
  return box;
}

function busyLine(view) {
  const { say, model } = view, line = h("div", { class: "vc-notice", role: "status", hidden: true });
  const cancel = h("button", { class: "vc-button is-small", type: "button" }, icon("close"), say("cancel"));
  view.on(cancel, "click", () => order(model, { type: "cancel" }));
  let patient = 0;
  view.follow(["working"], (working) => {
    clearTimeout(patient);
    if (!working) { line.hidden = true; return; }
    const show = () => {
      line.hidden = false;
      fillNotice(line, { verdict: "info", waiting: true, what: say(`busy.${working.kind}`), remedy: sentence(working.step), actions: working.kind === "list" ? [] : [cancel] });
    };
    if (line.hidden) patient = setTimeout(show, PATIENCE_MS); else show();
  });
  return line;
}

function drawVoices(view, { roll, ear }) {
  const { say, model } = view;
  const fact = h("p", { class: "vc-fact vc-num" });
  const refresh = h("button", { class: "vc-button is-plain", type: "button" }, icon("again"), say("refresh"));
  view.on(refresh, "click", () => order(model, { type: "refresh" }));
  let parts = null;
  const notice = noticeOf(view, roll, () => (roll.shown.length ? parts.act.go(roll.at) : refresh.focus()));
  const { bar, search } = toolbar(view, roll, notice.ask);
  parts = tableOf(view, roll, ear, notice.ask);
  const empty = h("div", { class: "vc-empty", hidden: true }, icon("list"), h("p", { class: "vc-strong" }), h("p", { class: "vc-quiet vc-mono" }));
  const rows = h("span", { class: "vc-quiet vc-num", role: "status" });
  const back = h("button", { class: "vc-button", type: "button" }, icon("back"), say("back"));
  const more = h("button", { class: "vc-button", type: "button" }, say("more"), icon("next"));
  view.on(back, "click", () => turn(-PAGE));
  view.on(more, "click", () => turn(PAGE));
  const pages = h("span", { class: "vc-join", role: "group", "aria-label": say("pages") }, back, more);
  const turn = (by) => {
    const at = Math.floor(roll.at / PAGE) * PAGE + by;
    if (at >= 0 && at < roll.shown.length) { roll.at = at; roll.tell("change"); }
  };
  const foot = h("footer", { class: "vc-foot" }, h("p", { class: "vc-say vc-quiet" }, say("as.table"), h("code", { class: "vc-mono" }, "account.voices()")), rows, pages);
  const show = () => {
    const all = roll.rows?.length ?? 0, shown = roll.shown.length, from = Math.floor(roll.at / PAGE) * PAGE;
    fact.textContent = roll.rows === null ? "" : all === shown ? say("voices.n", { n: all.toLocaleString() }) : say("voices.shown", { n: all.toLocaleString(), shown });
    parts.scroll.hidden = shown === 0;
    empty.hidden = shown > 0 || roll.rows === null;
    bar.hidden = all === 0;
    empty.children[1].textContent = say(all ? "none.found" : "none");
    empty.children[2].textContent = all ? say("none.found.do") : say("none.do");
    rows.textContent = shown ? say("rows", { from: from + 1, to: Math.min(from + PAGE, shown), n: shown.toLocaleString() }) : "";
    pages.hidden = shown <= PAGE;
    back.setAttribute("aria-disabled", String(from === 0));
    more.setAttribute("aria-disabled", String(from + PAGE >= shown));
  };
  for (const name of ["table", "change"]) view.on(roll, name, show);
  view.signal.addEventListener("abort", () => ear.stop());
  const body = h("div", { class: "vc-body is-tools" }, busyLine(view), errorLine(view), bar, empty);
  view.el.append(frame(view, "list", { fact, tools: [quotaBar(view, roll), refresh] }, body, parts.scroll, notice.line, historyOf(view, roll), foot));
  view.on(search, "keydown", (event) => { if (event.key === "ArrowDown" && roll.shown.length) parts.act.go(Math.floor(roll.at / PAGE) * PAGE); });
  if (roll.rows) roll.tell("table"); else show();
}

function prepareVoices({ model, signal }) {
  const link = new Link(model, signal), roll = new Roll(model, link), ear = new Ear(model, link);
  signal?.addEventListener("abort", () => ear.close());
  // A voice that is gone has no button any more to stop what is heard of it.
  roll.addEventListener("table", () => ear.voice && !roll.rows.some(({ voice }) => voice === ear.voice) && ear.stop());
  link.hello();
  return { roll, ear };
}

export default panel({ prepare: prepareVoices, draw: drawVoices });
