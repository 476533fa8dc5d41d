// A grid of voices and texts: sort, search, see only what failed, hear each take, and why it was judged so.

const VERDICTS = ["fail", "unknown", "pass"]; // in the order in which they want to be looked at

/** The cells, and what this reader wants to see of them. */
class Cells extends Sounding {
  constructor(model, link) {
    super(link);
    Object.assign(this, { model, told: null, query: "", verdict: "", open: new Set(), waiting: new Map() });
    model.on("msg:custom", (message) => {
      if (message.client && message.client !== link.client) return;
      if (message.type === "cells") { this.told = message; this.tell("told"); }
      if (message.type === "facts") this.arrived(message.facts);
    });
  }

  get shown() {
    const wanted = this.query.toLowerCase();
    return (this.told?.cells ?? []).filter(({ verdict, name, text, words }) => (!this.verdict || verdict === this.verdict)
      && (!wanted || `${name} ${text} ${words}`.toLowerCase().includes(wanted)));
  }

  set(change) { Object.assign(this, change); this.tell("change"); }

  /** A take is read from the library when it is first heard; the last one that was asked for sounds. */
  press(key) {
    if (this.link.tapes.has(key)) return this.hear([key], key);
    this.pause();
    this.wanted = key;
    return order(this.model, { type: "hear", key, client: this.link.client });
  }

  arrived(facts) {
    if (this.wanted !== facts.key) return;
    this.wanted = null;
    this.hear([facts.key], facts.key, [facts]).catch((error) => { this.failed = error; this.tell("failed"); });
  }
}

const shortly = (value) => (value === null ? "–" : (Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2)).replace("-", "−"));

function judged(view, cells, row) {
  const { say } = view, said = row.error ?? row.words;
  const verdict = h("span", { class: "vc-verdict", "data-verdict": row.verdict }, icon(row.verdict), say(`verdict.${row.verdict}`));
  const words = h("span", { class: "vc-quiet" }, said);
  if (!row.checks.length) return h("div", { class: "vc-judged" }, verdict, h("br"), words);
  const button = h("button", { type: "button", "aria-expanded": String(cells.open.has(row.key)) }, verdict, h("span", { class: "vc-only-reader" }, ` ${say("why")} ${row.name}`), icon("more"));
  view.on(button, "click", () => {
    cells.open[cells.open.has(row.key) ? "delete" : "add"](row.key);
    cells.unfolded = row.key;
    cells.tell("unfold");
  });
  button.dataset.key = row.key;
  return h("div", { class: "vc-judged" }, button, h("br"), words);
}

function why(view, cells, row, n) {
  if (!cells.open.has(row.key)) return null;
  const { say } = view;
  const value = ({ value: found, unit }) => (found === null ? "" : `${shortly(found)}${unit ? ` ${unit}` : ""}`);
  const where = ({ places }) => places.map(([from, to]) => say("place", { from: from.toFixed(1), to: to.toFixed(1) })).join(", ");
  const line = (each) => h("li", {}, h("span", { class: "vc-verdict", "data-verdict": each.verdict }, icon(each.verdict), say(`verdict.${each.verdict}`)),
    h("span", {}, h("b", {}, say(`check.${each.check}`)), ` · ${each.message} `, h("span", { class: "vc-quiet vc-num" }, [value(each), where(each)].filter(Boolean).join(", "))));
  return h("tr", { class: "is-why" }, h("td", { colspan: n }, h("ul", { class: "vc-checks" }, ...row.checks.map(line))));
}

function gridColumns(view, cells) {
  const { say } = view, { measures, repeats } = cells.told;
  return [
    { by: "name", title: () => say("column.voice"), value: (row) => row.name, cell: (row, part) => h("span", { class: "vc-row" },
      row.spoken ? hearButton(part, cells, row.key, "", `${row.name}: ${row.text.slice(0, 60)}`, () => cells.press(row.key)) : h("span", { class: "vc-quiet" }, say("unspoken")), h("span", { class: "vc-cut vc-clip-name" }, h("bdi", {}, row.name))) },
    { by: "text", title: () => say("column.text"), value: (row) => row.text, cell: (row) => h("div", { class: "vc-text-cell" }, h("span", {}, h("bdi", {}, row.text))) },
    ...(repeats ? [{ by: "repeat", kind: "is-right p3", title: () => say("column.repeat"), value: (row) => row.repeat, cell: (row) => String(row.repeat) }] : []),
    { by: "verdict", title: () => say("column.verdict"), value: (row) => VERDICTS.indexOf(row.verdict), cell: (row, part) => judged(part, cells, row) },
    ...measures.map(({ name, title }, k) => ({ by: name, kind: `is-right ${k > 2 ? "p3" : k > 0 ? "p2" : "p1"}`, title: () => title || say("column.likeness"), value: (row) => row.values[k], cell: (row) => shortly(row.values[k]) })),
  ];
}

function toolbar(view, cells) {
  const { say } = view, search = h("input", { class: "vc-input", type: "search", "aria-label": say("search"), placeholder: say("search") });
  const buttons = ["", ...VERDICTS].map((verdict) => {
    const button = h("button", { class: "vc-button", type: "button" });
    view.on(button, "click", () => cells.set({ verdict }));
    return { verdict, button };
  });
  view.on(search, "input", () => cells.set({ query: search.value }));
  const show = () => buttons.forEach(({ verdict, button }) => {
    const n = cells.told.cells.filter((row) => !verdict || row.verdict === verdict).length;
    button.replaceChildren(...(verdict ? [icon(verdict)] : []), say(`show.${verdict || "all"}`, { n }));
    button.setAttribute("aria-pressed", String(cells.verdict === verdict));
  });
  return { bar: h("div", { class: "vc-tools" }, search, h("span", { class: "vc-join", role: "group", "aria-label": say("filter") }, ...buttons.map(({ button }) => button))), show };
}

function drawGrid(view, { cells }) {
  const { say, model } = view, fact = h("p", { class: "vc-fact vc-num" }), found = h("p", { class: "vc-only-reader", role: "status" });
  const generated = h("span", { class: "vc-tag" }, say("generated"));
  const { bar, show: tools } = toolbar(view, cells), holder = h("div", { class: "vc-grid" });
  const busy = h("div", { class: "vc-notice", role: "status", hidden: true }), empty = h("div", { class: "vc-empty", hidden: true }, icon("compare"), h("p", { class: "vc-strong" }, say("none")), h("p", { class: "vc-quiet" }, say("none.do")));
  let patient = 0, table = null;
  view.follow(["working"], (working) => {
    clearTimeout(patient);
    busy.hidden = true;
    if (working) patient = setTimeout(() => { busy.hidden = false; fillNotice(busy, { verdict: "info", waiting: true, what: say(`busy.${working.kind}`) }); }, PATIENCE_MS);
  });
  const change = () => {
    if (!table) return;
    const { shown } = cells;
    tools();
    table.set(shown);
    holder.hidden = !shown.length;
    empty.hidden = shown.length > 0;
    found.textContent = say("found", { n: shown.length });
  };
  const show = () => {
    bar.hidden = !cells.told;
    if (!cells.told) return;
    const { cells: all } = cells.told, voices = new Set(all.map((row) => row.voice)).size, texts = new Set(all.map((row) => row.text)).size;
    fact.textContent = say("size", { voices: say("voices", { n: voices }), texts: say("texts", { n: texts }), n: all.length });
    table = sortedTable(view, { caption: say("title"), columns: gridColumns(view, cells), sort: ["verdict", 1], after: (row, part, n) => why(part, cells, row, n) });
    holder.replaceChildren(table.node);
    change();
  };
  view.on(cells, "told", show);
  view.on(cells, "change", change);
  view.on(cells, "unfold", () => {
    const here = holder.contains(view.el.ownerDocument.activeElement);
    table?.draw();
    if (here) holder.querySelector(`[data-key="${cells.unfolded}"]`)?.focus();
  });
  view.on(cells, "failed", () => view.setFault(cells.failed));
  view.signal.addEventListener("abort", () => cells.pause());
  const body = h("div", { class: "vc-body is-tools" }, busy, errorLine(view), bar, found, empty);
  view.el.append(frame(view, "compare", { fact, tools: [generated] }, body, holder, h("footer", { class: "vc-foot" }, h("p", { class: "vc-say vc-quiet" }, say("as.table"), h("code", { class: "vc-mono" }, "grid.to_frame()")))));
  show();
}

function prepareGrid({ model, signal }) {
  const link = new Link(model, signal), cells = new Cells(model, link);
  signal?.addEventListener("abort", () => cells.forget());
  link.hello();
  return { cells };
}

export default panel({ prepare: prepareGrid, draw: drawGrid });
