"""An address is looked at before anything is fetched, and the fetch brings no key and takes no more than it must."""

from __future__ import annotations

import contextlib
import http.server
import socket
import threading
import time

import pytest

from vcnb.audio.samples import samples
from vcnb.errors import ClipError, SettingsError
from vcnb.settings import Secret, Settings
from vcnb.workflow import remote
from vcnb.workflow.remote import check_url, fetch, is_url

PAID = Settings("singapore", "https://dashscope-intl.aliyuncs.com/api/v1", Secret("sk-0123456789abcdef"))


@pytest.fixture
def shelf():
    """A web server on loopback, in the place of the practice service: what lies where, and what it was asked."""

    class Shelf(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.asked.append(dict(self.headers))
            if self.path.startswith("/to/"):
                self.send_response(302)
                self.send_header("Location", self.path.removeprefix("/to/"))
                self.end_headers()
                return
            data = self.files.get(self.path)
            self.send_response(200 if data is not None else 404)
            self.end_headers()
            self.wfile.write(data or b"")

        def log_message(self, *_):
            pass

    Shelf.files, Shelf.asked = {}, []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Shelf)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    Shelf.url = f"http://127.0.0.1:{server.server_port}"
    Shelf.settings = Settings("practice", f"{Shelf.url}/api/v1", Secret("sk-0123456789abcdef"))
    yield Shelf
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/a.wav",
        "http://127.0.0.1:80/a.wav",
        "https://user@example.com/a.wav",
        "https://user:word@example.com/a.wav",
        "https:///a.wav",
        "https://[::1/a.wav",
        "https://example.com:port/a.wav",
    ],
)
def test_an_address_that_the_service_should_not_fetch_is_refused(url):
    with pytest.raises(SettingsError) as caught:
        check_url(url, PAID)
    assert "word" not in str(caught.value)


def test_an_https_address_is_passed_on_as_it_is():
    url = "https://example.com/my%20voice.wav?signature=a%2Fb"
    assert is_url(url)
    assert check_url(url, PAID) == url


def test_plain_http_is_for_the_practice_services_own_address_alone(shelf):
    assert check_url(f"{shelf.url}/a.wav", shelf.settings)
    with pytest.raises(SettingsError, match="not https"):
        check_url("http://127.0.0.1:1/a.wav", shelf.settings)


@pytest.mark.parametrize("what", ["a.wav", b"https://x", None, "httpx"])
def test_a_path_is_no_address(what):
    assert not is_url(what)


def test_a_recording_is_fetched_without_the_key_and_keeps_its_address(shelf):
    shelf.files["/a%20b.wav"] = samples()["kathleen_en"].read_bytes()
    clip = fetch(f"{shelf.url}/a%20b.wav", shelf.settings)
    assert clip.source.url == f"{shelf.url}/a%20b.wav"
    assert clip.source.data == shelf.files["/a%20b.wav"]
    assert clip.name == "a b.wav"
    assert "Authorization" not in shelf.asked[0]


def test_a_file_longer_than_the_service_takes_is_left_lying(shelf, monkeypatch):
    monkeypatch.setattr(remote, "BYTES_REFUSED", 1000)
    shelf.files["/just.wav"] = samples()["kathleen_en"].read_bytes()[:1001]
    with pytest.raises(ClipError, match="more than"):
        fetch(f"{shelf.url}/just.wav", shelf.settings)


def test_what_is_no_recording_is_a_clip_error_and_what_is_missing_is_not(shelf):
    shelf.files["/page.html"] = b"<html>log in first</html>"
    with pytest.raises(ClipError):
        fetch(f"{shelf.url}/page.html", shelf.settings)
    with pytest.raises(OSError, match="status 404"):
        fetch(f"{shelf.url}/nothing.wav", shelf.settings)


def test_a_redirect_leads_only_where_the_first_address_could_have_led(shelf):
    shelf.files["/a.wav"] = samples()["kathleen_en"].read_bytes()
    assert fetch(f"{shelf.url}/to/{shelf.url}/a.wav", shelf.settings).duration > 10
    with pytest.raises(SettingsError, match="not https"):
        fetch(f"{shelf.url}/to/http://127.0.0.1:1/a.wav", shelf.settings)
    with pytest.raises(OSError, match="not public"):
        fetch(f"{shelf.url}/to/https://127.0.0.1:1/a.wav", shelf.settings)
    with pytest.raises(OSError, match="too many redirects"):
        fetch(f"{shelf.url}/to/{'/to/' * 5}{shelf.url}/a.wav", shelf.settings)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "10.0.0.1", "169.254.169.254", "[::1]", "[fe80::1]", "0.0.0.0", "localhost", "[64:ff9b::7f00:1]"],
)
def test_an_address_inside_this_network_is_never_asked(host):
    with pytest.raises(OSError, match="not public"):
        fetch(f"https://{host}/a.wav", PAID)


@pytest.mark.parametrize("host", ["a" * 64 + ".example", "a..example"])
def test_a_name_that_no_host_can_have_is_no_crash(host):
    with pytest.raises(OSError, match="no name of a host"):
        fetch(f"https://{host}/a.wav", PAID)


@pytest.mark.parametrize("begun", [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_a_server_that_drips_headers_or_sound_holds_nobody(begun):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip():
            line, _ = server.accept()
            with line, contextlib.suppress(OSError):  # until nobody listens any more
                line.sendall(begun)
                while True:
                    line.sendall(b"X: y\r\n")
                    time.sleep(0.01)

        threading.Thread(target=drip, daemon=True).start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(OSError, match=r"deadline of 0\.3 s"):
            fetch(f"{url}/a.wav", Settings("practice", f"{url}/api/v1", Secret("k")), timeout=0.3)
