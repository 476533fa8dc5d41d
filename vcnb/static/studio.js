// The Studio: one head, one row of steps, one stage on which the panels of each step stand.

/** What takes longer than a moment: what is going on, and a way out where it may take long. */
function busyLine(view) {
  const { say, model } = view;
  const node = h("div", { class: "vc-notice", role: "status", hidden: true });
  const cancel = h("button", { class: "vc-button is-small", type: "button" }, icon("close"), say("cancel"));
  view.on(cancel, "click", () => order(model, { type: "cancel" }));
  let timer = 0;
  view.follow(["working"], (working) => {
    clearTimeout(timer);
    if (!working) { node.hidden = true; return; }
    const show = () => {
      node.hidden = false;
      fillNotice(node, { verdict: "info", waiting: true, what: say(`busy.${working.kind}`), remedy: sentence(working.step), actions: working.kind === "connect" ? [cancel] : [] });
    };
    if (node.hidden) timer = setTimeout(show, PATIENCE_MS);
    else show();
  });
  return node;
}

function drawStudio(view, journey) {
  const { say, el } = view;
  const chooser = serviceChooser(view), bar = stepBar(view, journey), ways = waysIn(view, journey, () => chooseFile());
  const head = h("div", { class: "vc-head" }, icon("studio"), h("h3", { id: `${view.uid}h` }, say("title")), ledger(view, chooser));
  const leave = (step) => { try { journey.go(step); } finally { bar.focus(); } };
  const need = needs(view, journey, leave), foot = stepFoot(view, journey, leave);
  const slots = Object.entries(PANELS).flatMap(([step, names]) => names.map((name) => ({ step, ...slot(view, name) })));
  const pick = picks(view, journey);
  const stage = h("div", { class: "vc-stage" }, ways.node, need.box, pick.node, ...slots.map(({ node }) => node));
  const chooseFile = () => {
    const { node } = slots.find(({ name }) => name === "uploader"), field = () => node.querySelector("input[type=file]")?.click();
    if (node.querySelector("input[type=file]")) field();
    else node.addEventListener("drawn", field, { once: true });
  };
  const show = () => {
    const { step } = journey, free = need.show();
    stage.dataset.step = step;
    ways.node.hidden = step !== "record";
    pick.show(free && step === "compare");
    for (const each of slots) each.show(free && each.step === step && (step !== "record" || each.name === journey.way));
    for (const part of [bar, ways, foot]) part.show();
  };
  const notices = h("div", { class: "vc-notices" }, busyLine(view), errorLine(view));
  el.append(h("section", { class: "vc-panel vc-studio", role: "group", "aria-labelledby": `${view.uid}h` }, head, chooser, bar.node, notices, stage, foot.node));
  view.on(journey, "change", show);
  view.follow(["facts"], show);
}

export default panel({ prepare: ({ model }) => new Journey(model), draw: drawStudio });
