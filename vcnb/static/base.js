// What every panel stands on: nodes, words, theme, keys, errors, and one frame for all views of a model.
// Joined before a panel's own file as text, since an anywidget module cannot import its siblings.

const ICONS = {
  play: '<path fill="currentColor" stroke="none" d="M5 3.1v9.8L12.75 8z"/>',
  pause: '<path d="M5.5 3.5v9M10.5 3.5v9" stroke-width="2.25"/>',
  down: '<path d="M8 2.5v8M4.75 7.5 8 10.75l3.25-3.25M2.5 13.75h11"/>',
  upload: '<path d="M8 10.5v-8M4.75 5.5 8 2.25l3.25 3.25M2.5 10.5v2.25a1 1 0 0 0 1 1h9a1 1 0 0 0 1-1V10.5"/>',
  check: '<path d="M1.5 8.5H4L5.5 4l2.75 8.5L10.5 6l1 2.5h3"/>',
  enroll: '<circle cx="6" cy="5.5" r="2.5"/><path d="M1.75 13.5c.4-2.6 2-4 4.25-4s3.85 1.4 4.25 4M12.5 3.75v4M10.5 5.75h4"/>',
  mend: '<path d="M2.75 13.25 9.25 6.75M11.25 2v3M9.75 3.5h3M13.5 7.25v2M12.5 8.25h2M6 2.75v1.5M5.25 3.5h1.5"/>',
  lock: '<rect x="3.5" y="7" width="9" height="6.5" rx="1"/><path d="M5.5 7V5a2.5 2.5 0 0 1 5 0v2"/>',
  key: '<circle cx="4.75" cy="8" r="2.75"/><path d="M7.5 8h6.75v2.5M11.25 8v2"/>',
  more: '<path d="M3.5 6 8 10.5 12.5 6"/>',
  close: '<path d="m4 4 8 8M12 4l-8 8"/>',
  stop: '<rect fill="currentColor" stroke="none" x="3.75" y="3.75" width="8.5" height="8.5" rx="1"/>',
  loop: '<path d="M2.75 8.25a4 4 0 0 1 4-4h6M10.5 2l2.25 2.25L10.5 6.5M13.25 7.75a4 4 0 0 1-4 4h-6M5.5 14l-2.25-2.25L5.5 9.5"/>',
  speak: '<path d="M2.5 2.75h11v8.5H7.5l-3 2.5v-2.5h-2zM5.5 6.5v1M8 5.25v3.5M10.5 6.5v1"/>',
  compare: '<circle cx="5.75" cy="8" r="4"/><circle cx="10.25" cy="8" r="4"/>',
  tick: '<path d="m3.5 8.5 3 3 6-7"/>',
  again: '<path d="M13 8.5a5 5 0 1 1-1.6-4M13.25 2v3h-3"/>',
  pass: '<circle cx="8" cy="8" r="6.25"/><path d="m5.25 8.25 2 2 3.5-4.25"/>',
  warn: '<path d="M8 2 14.5 13.5h-13zM8 6.5v3.25M8 11.6v.01"/>',
  fail: '<path fill="currentColor" stroke="none" d="M5.2 1.5h5.6l3.7 3.7v5.6l-3.7 3.7H5.2l-3.7-3.7V5.2z"/><path style="stroke:var(--vc-surface)" d="m5.75 5.75 4.5 4.5M10.25 5.75l-4.5 4.5"/>',
  unknown: '<circle cx="8" cy="8" r="6.25" stroke-dasharray="2.2 2.7"/><path d="M6.4 6.5c.1-1 .8-1.6 1.6-1.6.9 0 1.6.6 1.6 1.5 0 1.2-1.6 1.2-1.6 2.5M8 11v.01"/>',
};

// Progress is shown only for what takes longer than this; anything shorter would flicker.
const PATIENCE_MS = 400;

/** Make an element. Text is always text, never markup: names and errors come from outside. */
function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

function icon(name) {
  const holder = document.createElement("template");
  holder.innerHTML = `<svg class="vc-icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">${ICONS[name]}</svg>`;
  return holder.content.firstChild;
}

/** A front end may hand a buffer over as DataView or Uint8Array, at any offset: copy, so that typed arrays align. */
function bytesOf(buffer) {
  const view = ArrayBuffer.isView(buffer) ? buffer : new Uint8Array(buffer);
  return view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
}

/** The words of the interface by key, with their {places} filled; `n` chooses the plural form. */
function wordsOf(model) {
  const plural = new Intl.PluralRules(model.get("_words")._language);
  return (key, values = {}) => {
    let text = WORDS[key] ?? key; // WORDS stands before this text: see widgets/base.py
    if (typeof text === "object") text = text[plural.select(values.n)] ?? text.other;
    return text.replace(/\{(\w+)\}/g, (_, place) => values[place] ?? "");
  };
}

/** Send an order to the kernel; a kernel that is gone is an error the reader can act on, not an exception. */
function order(model, message, buffers = []) {
  try {
    model.send(message, undefined, buffers);
  } catch {
    throw Object.assign(new Error("kernel"), { words: "fault.kernel" });
  }
}

// JupyterLab acts on keys of focused elements in outputs: `d d` on a button would delete the cell. What Jupyter
// itself needs (Ctrl, Alt, Meta, Escape, Shift+Enter) still gets through.
function keepKeys(el, signal) {
  const keep = (event) => {
    const forJupyter = event.ctrlKey || event.metaKey || event.altKey || event.key === "Escape";
    if (!forJupyter && !(event.shiftKey && event.key === "Enter")) event.stopPropagation();
  };
  for (const type of ["keydown", "keypress", "keyup"]) el.addEventListener(type, keep, { signal });
}

function luminance([r, g, b]) {
  const linear = (v) => ((v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
}

/** Where the front end names no colours, say by what lies behind the panel whether it is dark. */
function measureTheme(el) {
  if (getComputedStyle(el).getPropertyValue("--jp-layout-color1").trim()) return el.removeAttribute("data-vc-theme");
  let behind = matchMedia("(prefers-color-scheme: dark)").matches ? [0, 0, 0] : [255, 255, 255];
  for (let node = el.parentElement; node; node = node.parentElement) {
    const [r, g, b, alpha = 1] = (getComputedStyle(node).backgroundColor.match(/[\d.]+/g) ?? [0, 0, 0, 0]).map(Number);
    if (alpha > 0.5) {
      behind = [r, g, b];
      break;
    }
  }
  el.dataset.vcTheme = luminance(behind) < 0.2 ? "dark" : "light";
}

// All other colours are mixed from these.
const BASIC = ["surface", "on", "brand", "good", "care", "bad"].map((name) => `--vc-${name}`);

/**
 * Call `changed` when colours change by whatever means: a probe's colour moves in a transition, or the page gets other
 * attributes or style sheets. Colours may arrive in steps, so it looks once soon and once when all has settled. Most of
 * what happens to a page is no new colour: JupyterLab changes its icon whenever the kernel begins or ends to work.
 */
function followTheme(el, changed, signal) {
  let soon, later, known = "";
  const run = () => {
    measureTheme(el);
    const style = getComputedStyle(el), colours = BASIC.map((token) => style.getPropertyValue(token)).join();
    if (colours !== known) changed();
    known = colours;
  };
  const settle = () => {
    for (const timer of [soon, later]) clearTimeout(timer);
    [soon, later] = [setTimeout(run, 30), setTimeout(run, 500)];
  };
  const probe = h("i", { class: "vc-probe", "aria-hidden": "true" });
  el.append(probe);
  for (const type of ["transitionrun", "transitionend", "transitioncancel"]) probe.addEventListener(type, settle, { signal });
  const watcher = new MutationObserver(settle);
  for (const node of [document.documentElement, document.body]) watcher.observe(node, { attributes: true });
  watcher.observe(document.head, { childList: true });
  signal.addEventListener("abort", () => {
    watcher.disconnect();
    for (const timer of [soon, later]) clearTimeout(timer);
  });
}

/** A resolved colour of a token, for canvases. */
function colour(el, token) {
  const probe = h("i", { style: `color: var(${token})` });
  el.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

/**
 * Fill a notice: what happened in bold, what to do, code and request id small. Where only words change, the buttons stay
 * as they are: progress comes often, and a button that is set anew loses the focus, or the press that is under way.
 */
function fillNotice(node, { verdict = "fail", what, remedy = "", small = "", waiting = false, actions = [] }) {
  const words = [h("b", {}, what), remedy && h("span", {}, remedy), small && h("span", { class: "vc-quiet vc-mono vc-small-print" }, small)].filter(Boolean);
  const same = node.dataset.verdict === verdict && node.notice?.waiting === waiting && node.contains(node.notice.text)
    && actions.length === node.notice.actions.length && actions.every((action, i) => action === node.notice.actions[i]);
  if (same) return void node.notice.text.replaceChildren(...words);
  node.dataset.verdict = verdict;
  node.notice = { waiting, actions, text: h("p", { class: "vc-text" }, ...words) };
  node.replaceChildren(
    waiting ? h("span", { class: "vc-spin", "aria-hidden": "true" }) : icon(verdict),
    h("div", {}, node.notice.text, actions.length > 0 && h("div", { class: "vc-actions" }, ...actions)),
  );
}

/** What the error line says of an error trait or of an exception in here. */
function saidOf(error, say) {
  if (error instanceof Error) {
    const key = error.words ?? "fault.browser";
    return { what: say(key, { message: error.message }), remedy: say(`${key}.do`) };
  }
  const small = [error.code, error.request_id && say("fault.request", { id: error.request_id })];
  return { what: error.what, remedy: sentence(error.remedy || say("fault.browser.do")), small: small.filter(Boolean).join(" · ") };
}

/** A remedy is written to follow "try:"; here it stands alone. */
function sentence(text) {
  if (!text) return "";
  return text[0].toUpperCase() + text.slice(1) + (/[.?!…]$/.test(text) ? "" : ".");
}

/** A field for a key: never a trait. Its bytes go to the kernel once, and the field is emptied at once. */
function keyField(view) {
  const { say, uid } = view;
  const input = h("input", {
    class: "vc-input", id: `${uid}key`, type: "password", autocomplete: "off", spellcheck: "false",
    "data-lpignore": "true", "aria-describedby": `${uid}keyh`,
  });
  const hint = h("p", { class: "vc-quiet", id: `${uid}keyh`, role: "status" }, say("key.kept"));
  const form = h("form", { class: "vc-field" }, h("label", { for: `${uid}key` }, say("key.label")),
    h("div", { class: "vc-row" }, h("span", { class: "vc-with-icon vc-grow" }, icon("key"), input),
      h("button", { class: "vc-button is-main", type: "submit" }, say("key.use"))), hint);
  view.on(form, "submit", (event) => {
    event.preventDefault();
    const value = new TextEncoder().encode(input.value);
    input.value = "";
    order(view.model, { type: "key" }, [value.buffer]);
    hint.textContent = say("key.taken");
  });
  return form;
}

/** One view of a model: what a panel's draw function works with. */
function viewOf({ model, el, host, signal }) {
  const say = wordsOf(model);
  const uid = `vc${Math.random().toString(36).slice(2, 10)}`; // several views on one page: ids must differ
  const repaints = new Set();
  const faults = new Set();
  const view = {
    model, el, host, signal, say, uid, fault: null,
    /** Listen, and show what the listener breaks. */
    on(target, type, listener) {
      target.addEventListener(type, view.guarded(listener), { signal });
    },
    guarded(run) {
      const failed = (error) => view.setFault(error);
      return (...given) => {
        try {
          const result = run(...given);
          if (result?.catch) result.catch(failed);
        } catch (error) {
          failed(error);
        }
      };
    },
    setFault(error) {
      if (signal.aborted) return;
      if (error && !error.words) console.warn("vcnb", error);
      view.fault = error;
      for (const show of faults) show();
    },
    onFault: (show) => faults.add(show),
    /** Follow traits of the model, now and whenever they change. */
    follow(names, show) {
      const run = view.guarded(() => show(...names.map((name) => model.get(name))));
      for (const name of names) {
        model.on(`change:${name}`, run);
        signal.addEventListener("abort", () => model.off(`change:${name}`, run));
      }
      run();
    },
    /** Paint when the node has a size, when that changes, and when the theme does. */
    paints(node, paint) {
      const run = view.guarded(() => node.isConnected && node.offsetWidth && paint());
      const sizes = new ResizeObserver(run);
      sizes.observe(node);
      signal.addEventListener("abort", () => sizes.disconnect());
      repaints.add(run);
      return run;
    },
    repaint: () => repaints.forEach((run) => run()),
  };
  return view;
}

/** An error line at the foot of a panel, for panels that have no line of their own. */
function errorLine(view) {
  const line = h("div", { class: "vc-notice", role: "alert", hidden: true });
  const show = () => {
    const error = view.fault ?? view.model.get("error");
    line.hidden = !error;
    if (error) fillNotice(line, saidOf(error, view.say));
  };
  view.onFault(show);
  view.follow(["error"], show);
  return line;
}

/**
 * The factory of a panel. `prepare` makes what all views of a model share (fast: anywidget drops the messages of a
 * model that is not ready after 2 s) and what other panels get by host.getWidget; `draw` fills one view.
 */
function panel({ prepare = () => ({}), draw }) {
  return () => {
    let shared;
    return {
      initialize({ model, signal }) {
        shared = prepare({ model, signal });
        return shared;
      },
      async render({ model, el, signal, host }) {
        const stop = new AbortController();
        const view = viewOf({ model, el, host, signal: signal ? AbortSignal.any([signal, stop.signal]) : stop.signal });
        el.classList.add("vcnb");
        keepKeys(el, view.signal);
        try {
          await draw(view, shared);
        } catch (error) {
          console.warn("vcnb", error);
          const line = h("div", { class: "vc-notice", role: "alert" });
          fillNotice(line, saidOf(error, view.say));
          el.append(line);
        }
        view.paints(el, () => measureTheme(el));
        followTheme(el, view.repaint, view.signal);
        return () => stop.abort();
      },
    };
  };
}

/** The frame of a panel: icon, title, one fact, tools. */
function frame(view, name, { fact = null, tools = [] }, ...parts) {
  const head = h("div", { class: "vc-head" }, icon(name), h("h3", { id: `${view.uid}h` }, view.say("title")),
    fact, h("div", { class: "vc-head-tools" }, ...tools));
  return h("section", { class: "vc-panel", role: "group", "aria-labelledby": `${view.uid}h` }, head, ...parts);
}
