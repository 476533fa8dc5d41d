// Synthesis: a form that says what it costs, the sound as it arrives, and every take.

/** The player of what is heard now; another deck gets another one. */
function stage(view, desk, shown) {
  const box = h("div", { class: "vc-section is-stage", hidden: true });
  let part = null, stop = null;
  const draw = () => {
    stop?.abort();
    part = null;
    box.hidden = !desk.deck;
    if (!desk.deck) return box.replaceChildren();
    stop = new AbortController();
    part = viewOf({ model: view.model, el: box, host: view.host, signal: AbortSignal.any([view.signal, stop.signal]) });
    part.onFault(() => view.setFault(part.fault));
    box.replaceChildren(...playerParts(part, desk.deck, { spectrum: false, hints: desk.deck.tapes.length > 1 }));
    listenToKeys(part, desk.deck, box);
    for (const name of ["state", "loaded", "learnt", "figures"]) part.on(desk.deck, name, shown);
    if (!desk.deck.stream) part.guarded(() => desk.deck.load())();
    shown();
    return undefined;
  };
  view.paints(box, () => part?.repaint());
  view.on(desk, "deck", draw);
  draw();
  return box;
}

function drawSynthesis(view, desk) {
  const { say, model } = view;
  const text = textField(view, desk), voice = voiceField(view, desk), way = wayField(view, desk), language = speechLanguage(view, desk);
  const press = pressRow(view, desk, text.input), takes = takesList(view, desk);
  const spent = h("p", { class: "vc-quiet vc-num" }), speaking = h("p", { class: "vc-live", hidden: true }, h("i", { "aria-hidden": "true" }), say("now"));
  const none = h("div", { class: "vc-empty", hidden: true }, icon("enroll"), h("p", { class: "vc-strong" }, say("no.voice")), h("p", { class: "vc-quiet vc-mono" }, say("no.voice.do")));
  const parts = [text, voice, way, language, press, takes];
  const show = () => {
    spent.textContent = desk.free ? say("spent.free") : say("spent", { cost: dollars(desk.spent) });
    speaking.hidden = !["speak", "line"].includes(model.get("working")?.kind);
    none.hidden = !desk.voices || desk.voices.length > 0;
    for (const part of parts) part.show();
  };
  const form = h("div", { class: "vc-two is-left" }, h("div", { class: "vc-section" }, text.node, ...press.nodes), h("div", { class: "vc-section is-form" }, voice.node, way.node, language.node));
  const body = h("div", { class: "vc-body" }, none, form, errorLine(view), stage(view, desk, show), takes.node);
  const root = frame(view, "speak", { fact: speaking, tools: [spent] }, body);
  view.on(root, "keydown", (event) => {
    if (event.key === "Escape" && desk.busy) desk.cancel();
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.repeat) {
      event.preventDefault();
      event.stopPropagation(); // Jupyter would run the cell
      press.speak();
    }
  });
  view.el.append(root);
  for (const name of ["change", "deck"]) view.on(desk, name, show);
  show();
}

export default panel({ prepare: ({ model, signal }) => new Desk(model, signal), draw: drawSynthesis });
