"""A page of another site cannot use the practice service of this machine: not read, list, make, delete or break."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator

import pytest
from harness import Notebook
from held import Practice

# All that a page can send, with and without what only a form could send; tells what was answered with yes.
ATTACK = """async ({ base, key, voice }) => {
  const got = [], path = "/api/v1/services/audio/tts/customization", target_model = "qwen3-tts-vc-2026-01-22";
  const ask = (input) => ["POST", path, JSON.stringify({ model: "qwen-voice-enrollment", input })];
  const orders = [
    ask({ action: "list" }), ask({ action: "delete", voice }),
    ask({ action: "create", target_model, preferred_name: "a", audio: { data: "" } }),
    ["GET", "/practice/health"], ["GET", "/practice/faults"], ["GET", "/practice/lease"],
    ["POST", "/practice/faults", '{"fault": "reset"}'], ["DELETE", "/practice/faults"],
  ];
  const sent = [{}, { "Content-Type": "text/plain" }, { Authorization: `Bearer ${key}` }];
  for (const mode of ["cors", "no-cors"]) for (const headers of sent) for (const [method, path, body] of orders) {
    const stop = new AbortController(), options = { method, body, mode, headers, signal: stop.signal };
    try {
      const answer = await fetch(base + path, { ...options, credentials: "include" });
      if (answer.ok) got.push(`${method} ${path}`);
    } catch (error) { if (!(error instanceof TypeError)) throw error; } finally { stop.abort(); }
  }
  const make = (tag, about) => Object.assign(document.createElement(tag), about);
  for (const [method, path, body] of orders) if (body) {
    const frame = make("iframe", { name: "there" });
    const form = make("form", { method, action: base + path, enctype: "text/plain", target: "there" });
    form.append(make("input", { name: body.slice(0, -1), value: body.slice(-1) }));
    document.body.append(frame, form);
    const loaded = new Promise((resolve) => frame.addEventListener("load", resolve));
    form.submit();
    await Promise.race([loaded, new Promise((resolve) => setTimeout(resolve, 500))]);
    frame.remove();
    navigator.sendBeacon(base + path, body);
  }
  await new Promise((resolve) => {
    const line = new WebSocket(`${base.replace("http", "ws")}/api-ws/v1/realtime?model=${target_model}`);
    line.onopen = () => { got.push("socket"); resolve(); };
    line.onerror = resolve;
  });
  return got;
}"""


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """A page of another origin."""

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<body>a page</body>")

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_page_of_another_origin_gets_nothing_even_with_the_key(
    notebook: Notebook, practice: Practice, elsewhere: str
) -> None:
    voice, port = practice.voice(), practice.service.port
    rebound = f"http://insecure.test:{port}"  # a name of the page's own that leads to this machine
    page = notebook.page.context.browser.new_page()  # type: ignore[union-attr]
    try:
        told = {"base": practice.root_url, "key": practice.api_key.reveal(), "voice": voice}
        page.goto(elsewhere)
        assert page.evaluate(ATTACK, told) == []
        page.goto(rebound + "/practice/health")
        assert "AccessDenied" in page.content()
        assert page.evaluate(ATTACK, told | {"base": rebound}) == []
        assert page.evaluate(ATTACK, told) == []
        seen = practice.ask("GET", "/practice/faults").json()
        assert (seen["requests"], seen["pending"], seen["creations"]) == ({}, [], 1)
        assert [each.voice for each in practice.service.state.page(0, 10)] == [voice]  # type: ignore[union-attr]
        # From its own address the same does something: it is the address that is refused.
        page.goto(practice.root_url + "/practice/health")
        assert "GET /practice/health" in page.evaluate(ATTACK, told)
    finally:
        page.close()
