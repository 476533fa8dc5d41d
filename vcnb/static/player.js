// The player: one bar, then everything over one time axis; and figures, where it was heard while it arrived.

function drawPlayer(view, deck) {
  const { say } = view;
  const fact = h("p", { class: "vc-fact vc-num" }), generated = h("span", { class: "vc-tag" }, say("generated"));
  const live = h("p", { class: "vc-live", hidden: true }, h("i", { "aria-hidden": "true" }), say("speaking"));
  const stop = () => order(view.model, { type: "stop" });
  const parts = playerParts(view, deck, { stop });
  const body = h("div", { class: "vc-body is-close" }, ...parts, errorLine(view));
  const root = frame(view, "play", { fact, tools: [live, generated] }, body);
  const show = () => {
    const names = deck.tapes.map((tape) => tape.facts.name).filter(Boolean).join(", ");
    fact.textContent = [names, say("seconds", { seconds: deck.duration.toFixed(1) })].filter(Boolean).join(" · ");
    generated.hidden = !deck.facts.generated;
    live.hidden = !deck.tape.live;
  };
  for (const name of ["loaded", "learnt", "chosen", "grown"]) view.on(deck, name, show);
  show();
  listenToKeys(view, deck, root);
  view.el.append(root);
  if (deck.stream) return;
  if (deck.duration) view.guarded(() => deck.load())();
  else view.setFault(Object.assign(new Error("empty"), { words: "empty" }));
}

/** What all views of a player share, and what other panels get by host.getWidget: its deck. */
function preparePlayer({ model, signal }) {
  const link = new Link(model, signal);
  const deck = new Deck(model.get("sounds").map((facts) => link.add(facts)));
  deck.marks = [];
  model.on("msg:custom", (message) => {
    if (message.type !== "marks" || message.client !== link.client) return;
    deck.marks = message.marks;
    deck.tell("marks");
  });
  model.on("change:sounds", () => {
    for (const facts of model.get("sounds")) Object.assign(link.tapes.get(facts.key)?.facts ?? {}, { name: facts.name, generated: facts.generated, tags: facts.tags });
    deck.tell("learnt");
  });
  signal?.addEventListener("abort", () => deck.close());
  link.hello();
  return deck;
}

export default panel({ prepare: preparePlayer, draw: drawPlayer });
