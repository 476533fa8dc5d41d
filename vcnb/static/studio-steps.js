// The Studio's steps: where one is, what each step knows or needs, and the panels they are made of.

const STEPS = ["record", "check", "enroll", "voices", "speak", "compare"];
const PANELS = { record: ["recorder", "uploader"], check: ["diagnosis"], enroll: ["enrollment"], voices: ["voices"], speak: ["synthesis"], compare: ["comparing"] };
// What a step shows instead of its panel while it needs something from another one: icon and where that is.
const NEEDS = { enroll: ["mic", "record"], speak: ["enroll", "enroll"], compare: ["speak", "speak"] };
const MARKS = { done: "tick", care: "fail" };

/** Where one is: the browser's own, since steps change while the kernel is busy; the kernel keeps it for a reload. */
class Journey extends EventTarget {
  constructor(model) {
    super();
    Object.assign(this, { model, step: STEPS[0], way: "recorder", offers: [], left: new Set(), client: Math.random().toString(36).slice(2) });
    model.on("msg:custom", ({ type, client, step, offers }) => {
      if (client && client !== this.client) return;
      if (type === "step") this.step = step;
      if (type === "offers") this.offers = offers;
      this.dispatchEvent(new Event("change"));
    });
    try { order(model, { type: "hello", client: this.client }); } catch { /* a saved notebook without its kernel */ }
  }

  go(step) {
    this.step = step;
    this.dispatchEvent(new Event("change"));
    order(this.model, { type: "step", step }); // the step is shown all the same where the kernel is gone, and that is said
  }

  take(way) {
    this.way = way;
    this.dispatchEvent(new Event("change"));
  }

  fact(step) { return this.model.get("facts")[step]; }
}

function stepBar(view, journey) {
  const { say } = view;
  const buttons = STEPS.map((step, i) => {
    const dot = h("span", { class: "vc-mark-n", "aria-hidden": "true" }), state = h("span", { class: "vc-only-reader" }), fact = h("span", { class: "vc-fact" });
    const node = h("button", { type: "button", class: "vc-way" }, dot, h("span", { class: "vc-name vc-cut" }, say(`step.${step}`)),
      h("span", { class: "vc-short", "aria-hidden": "true" }, say(`short.${step}`)), state, fact);
    view.on(node, "click", () => journey.go(step));
    const show = () => {
      const known = journey.fact(step);
      node.dataset.state = known.state;
      dot.replaceChildren(MARKS[known.state] ? icon(MARKS[known.state]) : String(i + 1));
      state.textContent = ` ${say(`state.${known.state}`)}. `;
      fact.textContent = say(`fact.${known.fact}`, known.values);
      if (journey.step === step) node.setAttribute("aria-current", "step");
      else node.removeAttribute("aria-current");
    };
    return { node, show };
  });
  const node = h("nav", { "aria-label": say("steps") }, h("ol", { class: "vc-steps" }, ...buttons.map((button) => h("li", {}, button.node))));
  return { node, show: () => buttons.forEach((button) => button.show()), focus: () => buttons[STEPS.indexOf(journey.step)].node.focus() };
}

/** The place of one panel; drawn when it is first shown and then only hidden, so that what goes on in it goes on. */
function slot(view, name) {
  const node = h("div", { class: "vc-slot", hidden: true });
  let wanted = false, drawn = null, stop = null, failed = null;
  const draw = view.guarded(async () => {
    const ref = view.model.get(name);
    if (!wanted || ref === drawn) return;
    [drawn] = [ref, stop?.abort(), node.replaceChildren()];
    if (!ref) return;
    if (!view.host) throw Object.assign(new Error("host"), { words: "fault.host" });
    stop = new AbortController();
    const { signal } = stop, el = h("div", {});
    node.append(el);
    try {
      const panel = await view.host.getWidget(ref);
      if (!signal.aborted) await panel.render({ el, signal: AbortSignal.any([view.signal, signal]) });
    } catch (error) {
      if (signal.aborted) return; // another one stands there by now
      drawn = null; // so that coming back to this step tries again
      console.warn("vcnb", error);
      throw (failed = Object.assign(new Error(name), { words: "fault.panel" }));
    }
    if (failed && view.fault === failed) view.setFault(null);
    node.dispatchEvent(new Event("drawn"));
  });
  view.follow([name], draw);
  return { node, name, show(on) {
    const came = on && node.hidden;
    node.hidden = !on;
    wanted ||= on;
    if (came) draw();
  } };
}

/** Record, upload, or take a sample: three ways to one clip. */
function waysIn(view, journey, choose) {
  const { say, model } = view;
  const buttons = ["recorder", "uploader"].map((way) => {
    const node = h("button", { class: "vc-button", type: "button" }, icon(way === "recorder" ? "mic" : "upload"), say(`way.${way}`));
    view.on(node, "click", () => {
      const first = way === "uploader" && journey.fact("record").fact === "no_recording";
      journey.take(way);
      if (first) choose(); // a button that says Upload opens the dialog; what has files already only shows them
    });
    return { node, way };
  });
  const sample = h("button", { class: "vc-button is-plain", type: "button" }, icon("studio"), say("sample"));
  view.on(sample, "click", () => { order(model, { type: "sample" }); journey.take("uploader"); });
  const node = h("div", { class: "vc-ways" }, h("div", { class: "vc-join", role: "group", "aria-label": say("ways") }, ...buttons.map((each) => each.node)), sample);
  return { node, show: () => buttons.forEach(({ node: button, way }) => button.setAttribute("aria-pressed", String(way === journey.way))) };
}

/** What is put side by side: the recording and the takes, all of them unless somebody leaves one out. */
function picks(view, journey) {
  const { say, model } = view;
  const list = h("div", { class: "vc-picks" }), press = h("button", { class: "vc-button", type: "button" });
  const node = h("div", { class: "vc-pick-group", hidden: true }, h("fieldset", { class: "vc-group" }, h("legend", {}, say("picks")), list), h("div", { class: "vc-actions" }, press));
  const chosen = () => journey.offers.map(({ key }) => key).filter((key) => !journey.left.has(key));
  let drawn = "";
  view.on(press, "click", () => chosen().length > 1 && order(model, { type: "compare", keys: chosen() }));
  return { node, show(on) {
    node.hidden = !on;
    const keys = JSON.stringify(journey.offers);
    if (drawn !== keys) list.replaceChildren(...journey.offers.map(({ key, name }) => {
      const box = h("input", { type: "checkbox", value: key });
      view.on(box, "change", () => { journey.left[box.checked ? "delete" : "add"](key); journey.dispatchEvent(new Event("change")); });
      return h("label", { class: "vc-choice" }, box, h("span", { class: "vc-cut" }, name));
    }));
    drawn = keys;
    for (const box of list.querySelectorAll("input")) box.checked = !journey.left.has(box.value);
    const n = chosen().length;
    press.replaceChildren(icon("compare"), n > 1 ? say("picks.compare", { n }) : say("picks.few"));
    press.setAttribute("aria-disabled", String(n < 2));
  } };
}

/** What stands there while a step needs something that another step makes. */
function needs(view, journey, leave) {
  const { say } = view, box = h("div", { class: "vc-body", hidden: true });
  return { box, show() {
    const { step } = journey, known = journey.fact(step), way = NEEDS[step];
    const key = known.state === "needs" && way ? `${step} ${known.fact}` : "";
    box.hidden = !key;
    if (!key || box.dataset.key === key) { box.dataset.key = key; return box.hidden; }
    box.dataset.key = key;
    const go = h("button", { class: "vc-button is-main", type: "button" }, icon(way[0]), say(`step.${way[1]}`));
    view.on(go, "click", () => leave(way[1]));
    box.replaceChildren(h("div", { class: "vc-empty" }, icon(way[0]), h("p", { class: "vc-strong" }, say(`fact.${known.fact}`)), h("p", { class: "vc-quiet" }, say(`need.${known.fact}`)), go));
    return false;
  } };
}

/** Back, what is to be said of this step, and on; with the one filled button for what comes next. */
function stepFoot(view, journey, leave) {
  const { say, model } = view, line = h("p", { class: "vc-say", role: "status" });
  const [back, next, ahead] = [0, 0, 0].map(() => h("button", { class: "vc-button", type: "button" }));
  const at = (by) => STEPS[STEPS.indexOf(journey.step) + by];
  // A shorter way on: past a check that found nothing, or straight to the voice that was just made.
  const shorter = () => {
    const { step } = journey, known = journey.fact(step);
    if (step === "record" && known.state === "done" && journey.fact("check").fact === "pass") return [[say("step.enroll"), icon("next")], () => leave("enroll")];
    if (known.fact !== "enrolled") return null;
    const { name, price } = known.values;
    return [[icon("speak"), say(price ? "hear.price" : "hear", { name, price })], () => { order(model, { type: "greet" }); leave("speak"); }];
  };
  view.on(back, "click", () => leave(at(-1)));
  view.on(next, "click", () => leave(at(1)));
  view.on(ahead, "click", () => shorter()?.[1]());
  return { node: h("footer", { class: "vc-foot is-steps" }, back, line, next, ahead), show() {
    const known = journey.fact(journey.step), before = at(-1), after = at(1), short = shorter();
    back.hidden = !before;
    next.hidden = !after;
    ahead.hidden = !short;
    if (before) back.replaceChildren(icon("back"), say(`step.${before}`));
    if (after) next.replaceChildren(say(`step.${after}`), icon("next"));
    if (short) ahead.replaceChildren(...short[0]);
    back.classList.toggle("is-main", known.fact === "no_voice");
    ahead.classList.toggle("is-main", Boolean(short));
    next.classList.toggle("is-main", !short && known.state === "done" && !known.values.n_steps);
    const text = say(`say.${known.fact}`, known.values);
    if (line.textContent !== text) line.textContent = text;
  } };
}
