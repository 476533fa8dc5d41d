// The panel of a comparison: similarity and what it means, map, spectra, pitch, measures; blind test and report.

const VIEWS = ["similarity", "map", "spectra", "pitch", "table"];

/** What is at work. It is drawn once and then only told: a Cancel that is drawn anew loses the focus and the press. */
function busyLine(view) {
  const { say, model } = view, line = h("div", { class: "vc-notice", role: "status", hidden: true }), step = h("span", {});
  const cancel = h("button", { class: "vc-button is-small", type: "button" }, icon("close"), say("cancel"));
  const bar = h("span", { class: "vc-bar vc-done", role: "progressbar", "aria-label": say("busy.compare"), "aria-valuemin": 0, "aria-valuemax": 100 }, h("i", {}));
  view.on(cancel, "click", () => order(model, { type: "cancel" }));
  let patient = null;
  view.follow(["working"], (working) => {
    if (!working) { clearTimeout(patient); patient = null; line.hidden = true; return; }
    step.textContent = working.step;
    bar.style.setProperty("--at", working.share ?? 0);
    bar.setAttribute("aria-valuenow", Math.round(100 * (working.share ?? 0)));
    patient ??= setTimeout(() => {
      line.hidden = false;
      fillNotice(line, { verdict: "info", waiting: true, what: say(`busy.${working.kind}`), remedy: step, actions: working.kind === "compare" ? [bar, cancel] : [] });
    }, PATIENCE_MS);
  });
  return line;
}

/** Which blind test: of the pair that is looked at, or of all. */
function testChoice(view, desk, open) {
  const { say, model } = view, box = h("div", { class: "vc-section vc-tests", hidden: true });
  const show = () => {
    const pair = desk.pair?.map(letterOf) ?? [];
    const entry = (kind, items, words) => {
      const button = h("button", { class: "vc-button", type: "button" }, icon("ear"), say(`test.${kind}`));
      button.addEventListener("click", view.guarded(() => { desk.pause(); order(model, { type: "listen", kind, items }); open(false); }), { signal: view.signal });
      return h("div", { class: "vc-row-wrap" }, button, h("span", { class: "vc-quiet" }, words));
    };
    box.replaceChildren(entry("abx", desk.pair ?? [], say("test.abx.do", { one: pair[0], other: pair[1] })), entry("ab", [], say("test.ab.do")),
      entry("mushra", [], say("test.mushra.do", { first: letterOf(0) })));
  };
  view.on(desk, "pair", () => box.hidden || show());
  return { box, show };
}

/** The blind test, once it was begun; it is a panel of its own. */
function testPlace(view) {
  const place = h("div", { class: "vc-test", hidden: true });
  let stop = null;
  view.follow(["test"], async (ref) => {
    stop?.abort();
    place.hidden = !ref || !view.host;
    if (place.hidden) return;
    stop = new AbortController();
    const signal = AbortSignal.any([view.signal, stop.signal]), inner = h("div", {});
    place.replaceChildren(inner);
    const child = await view.host.getWidget(ref);
    if (!signal.aborted) await child.render({ el: inner, signal });
  });
  return place;
}

function drawComparing(view, { desk }) {
  const { say, model } = view, fact = h("p", { class: "vc-fact vc-num" });
  const tabs = VIEWS.map((name) => {
    const button = h("button", { class: "vc-button", type: "button" }, say(`view.${name}`));
    view.on(button, "click", () => desk.look(name));
    return button;
  });
  const blind = h("button", { class: "vc-button", type: "button", "aria-expanded": "false" }, icon("ear"), say("blind"));
  const report = h("button", { class: "vc-button", type: "button" }, icon("down"), say("report"));
  const again = h("button", { class: "vc-button", type: "button" }, icon("again"), say("again"));
  const switcher = h("span", { class: "vc-join", role: "group", "aria-label": say("views") }, ...tabs);
  const open = (wanted) => { choice.box.hidden = !wanted; blind.setAttribute("aria-expanded", String(wanted)); if (wanted) choice.show(); };
  const choice = testChoice(view, desk, open);
  view.on(blind, "click", () => open(choice.box.hidden));
  view.on(report, "click", () => !model.get("working") && order(model, { type: "report", client: desk.link.client }));
  view.on(again, "click", () => order(model, { type: "again" }));
  const heat = heatMap(view, desk), pair = pairCard(view, desk), table = measuresTable(view, desk);
  const parts = { similarity: h("div", { class: "vc-section vc-similar" }, h("div", { class: "vc-two vc-beside" }, heat.node, pair.node), pair.melody), map: voiceMap(view, desk),
    spectra: linesView(view, desk, "spectra", 260, spectrumSpec, "spectra.note"), pitch: linesView(view, desk, "pitch", 260, pitchSpec, "pitch.note") };
  const nodes = { ...parts, map: parts.map.node, spectra: parts.spectra.node, pitch: parts.pitch.node };
  const empty = h("div", { class: "vc-empty", hidden: true }, icon("compare"), h("p", { class: "vc-strong" }), h("p", { class: "vc-quiet" }), again);
  const body = h("div", { class: "vc-body" }, busyLine(view), errorLine(view), choice.box, empty, ...Object.values(nodes));
  const foot = h("footer", { class: "vc-foot" }, h("p", { class: "vc-say vc-quiet" }, say("as.table"), h("code", { class: "vc-mono" }, ".comparison.to_frame()")), report);
  const look = () => {
    const { told } = desk, several = told !== null && told.items.length > 1;
    for (const [name, node] of Object.entries(nodes)) node.hidden = !several || name !== desk.view;
    table.node.hidden = !told || !(["similarity", "table"].includes(desk.view) || !several);
    body.classList.toggle("is-bare", several && desk.view === "table");
    tabs.forEach((tab, i) => tab.setAttribute("aria-pressed", String(VIEWS[i] === desk.view)));
  };
  const state = () => {
    const { told } = desk, several = told !== null && told.items.length > 1, busy = Boolean(model.get("working"));
    switcher.hidden = blind.hidden = !several;
    foot.hidden = !told;
    empty.hidden = several || (!told && busy) || desk.waiting === null && !told;
    const word = told ? "one" : desk.waiting ? "stopped" : "none";
    empty.children[1].textContent = say(`empty.${word}`);
    empty.children[2].textContent = say(`empty.${word}.do`);
    again.hidden = word !== "stopped";
    fact.textContent = told ? say("clips", { n: told.items.length }) : "";
    allow(report, !busy);
  };
  const show = () => {
    state();
    if (desk.told) {
      table.show();
      if (desk.told.items.length > 1) for (const part of [heat, pair, parts.map, parts.spectra, parts.pitch]) part.show();
    }
    look();
  };
  view.on(desk, "told", show);
  view.on(desk, "view", look);
  view.on(desk, "failed", () => view.setFault(desk.failed));
  view.follow(["working"], state);
  view.signal.addEventListener("abort", () => desk.pause());
  view.el.append(frame(view, "compare", { fact, tools: [switcher, blind] }, body, table.node, testPlace(view), foot));
  show();
}

function prepareComparing({ model, signal }) {
  const link = new Link(model, signal), desk = new Desk(model, link);
  signal?.addEventListener("abort", () => desk.forget());
  link.hello();
  return { desk };
}

export default panel({ prepare: prepareComparing, draw: drawComparing });
