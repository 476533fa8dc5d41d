// A table that is sorted by any of its columns and drawn a page at a time: a thousand rows are no more work than thirty.

const ROWS = 30; // drawn at a time; ours
const NEXT = '<path d="M6 3.5 10.5 8 6 12.5"/>', BACK = '<path d="M10 3.5 5.5 8l4.5 4.5"/>', LESS = '<path d="M3.5 10 8 5.5l4.5 4.5"/>';
Object.assign(ICONS, { next: NEXT, back: BACK, less: LESS });

/** What is not there comes last, whichever way. */
function compareBy(value, way) {
  return (one, other) => {
    const [a, b] = [value(one), value(other)], gone = (x) => x === null || x === undefined || Number.isNaN(x);
    if (gone(a) || gone(b)) return Number(gone(a)) - Number(gone(b));
    return way * (typeof a === "string" ? a.localeCompare(b, undefined, { numeric: true }) : a - b);
  };
}

/**
 * Columns are { by, title(), value(row), cell(row, view), kind }; the first heads its row, and `after` gives a row that
 * belongs below another. The view that a cell gets is that of its row: its listeners go when another page is drawn.
 */
function sortedTable(view, { caption, columns, sort, after = () => null }) {
  const { say } = view, state = { rows: [], at: 0, sort };
  const heads = columns.map((column) => {
    const button = h("button", { type: "button" }), th = h("th", { scope: "col", class: column.kind || null }, button);
    view.on(button, "click", () => {
      const [by, way] = state.sort;
      state.sort = [column.by, by === column.by ? -way : column.way ?? 1];
      state.at = 0;
      draw();
    });
    return { column, button, th };
  });
  const body = h("tbody", {});
  const table = h("table", { class: "vc-table" }, h("caption", { class: "vc-only-reader" }, caption), h("thead", {}, h("tr", { "aria-rowindex": 1 }, ...heads.map(({ th }) => th))), body);
  const place = h("span", { class: "vc-quiet vc-num", role: "status" });
  const back = h("button", { class: "vc-button", type: "button" }, icon("back"), say("back")), more = h("button", { class: "vc-button", type: "button" }, say("next"), icon("next"));
  const pages = h("div", { class: "vc-row vc-pages", hidden: true }, place, h("span", { class: "vc-join", role: "group", "aria-label": say("pages") }, back, more));
  const turn = (by) => { if (state.at + by >= 0 && state.at + by < state.rows.length) { state.at += by; draw(); } };
  view.on(back, "click", () => turn(-ROWS));
  view.on(more, "click", () => turn(ROWS));
  let held = null;
  const rowOf = (part, row, index) => {
    const [first, ...rest] = columns;
    const tr = h("tr", { "aria-rowindex": index + 2 }, h("th", { scope: "row", class: first.kind || null }, first.cell(row, part)), ...rest.map(({ kind, cell }) => h("td", { class: kind || null }, cell(row, part))));
    return [tr, after(row, part, columns.length)].filter(Boolean);
  };
  const draw = () => {
    held?.abort();
    held = new AbortController();
    const signal = AbortSignal.any([view.signal, held.signal]);
    const part = { ...view, signal, on: (target, type, run) => target.addEventListener(type, view.guarded(run), { signal }) };
    const [by, way] = state.sort, { value } = columns.find((column) => column.by === by);
    const sorted = [...state.rows].sort(compareBy(value, way));
    state.at = Math.min(state.at, Math.max(0, Math.floor((sorted.length - 1) / ROWS) * ROWS));
    body.replaceChildren(...sorted.slice(state.at, state.at + ROWS).flatMap((row, i) => rowOf(part, row, state.at + i)));
    table.setAttribute("aria-rowcount", sorted.length + 1);
    pages.hidden = sorted.length <= ROWS;
    place.textContent = sorted.length ? say("rows", { from: state.at + 1, to: Math.min(sorted.length, state.at + ROWS), n: sorted.length }) : "";
    allow(back, state.at > 0);
    allow(more, state.at + ROWS < sorted.length);
    for (const { column, button, th } of heads) {
      const spoken = column.by === by ? (way > 0 ? "ascending" : "descending") : null;
      if (spoken) th.setAttribute("aria-sort", spoken); else th.removeAttribute("aria-sort");
      button.replaceChildren(column.title(), ...(spoken ? [icon(spoken === "ascending" ? "less" : "more")] : []));
    }
  };
  const scroll = h("div", { class: "vc-scroll", role: "region", "aria-label": caption, tabindex: "0" }, table);
  return { node: h("div", {}, scroll, pages), draw, set(rows) { state.rows = rows; draw(); } };
}
