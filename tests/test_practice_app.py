"""Who is let in, and in which form the service says no."""

from __future__ import annotations

import json
import re
import socket

import pytest
import requests

CUSTOMIZATION = "/api/v1/services/audio/tts/customization"
GENERATION = "/api/v1/services/aigc/multimodal-generation/generation"
HALF = b'{"model": "qwen-voice-enrollment", "input": {"action": "delete", "voice": "\xed\xa0\x80"}}'
LIST = {"model": "qwen-voice-enrollment", "input": {"action": "list"}}


def test_the_right_key_is_let_in(practice):
    answer = practice.ask("POST", CUSTOMIZATION, json=LIST)
    assert answer.status_code == 200
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert answer.headers["X-Vcnb-Practice-Folder"] == practice.service.folder_id
    assert answer.headers["X-Vcnb-Practice-Settle"] == "2"


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Bearer wrong", "Basic {key}", "{key}", "Bearer {key}x"])
@pytest.mark.parametrize("path", [CUSTOMIZATION, GENERATION, "/practice/faults", "/nowhere"])
def test_any_other_key_is_refused_first_of_all(practice, header, path):
    sent = {"Authorization": header.format(key=practice.api_key.reveal())}
    answer = requests.post(practice.root_url + path, data=b"{", headers=sent, timeout=10)
    assert answer.status_code == 401
    assert answer.json()["code"] == "InvalidApiKey"
    assert set(answer.json()) == {"code", "message", "request_id"}


@pytest.mark.parametrize(
    "header",
    [
        {"Host": "practice.example:{port}"},
        {"Host": "127.0.0.1:1"},
        {"Host": "127.0.0.1"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://localhost:8888"},
        {"Origin": "null"},
    ],
)
def test_a_page_of_a_browser_is_kept_out_even_with_the_key(practice, header):
    sent = {name: value.format(port=practice.service.port) for name, value in header.items()}
    answer = practice.ask("POST", CUSTOMIZATION, json=LIST, headers=sent)
    assert (answer.status_code, answer.json()["code"]) == (403, "AccessDenied")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_its_own_address_may_be_host_and_origin(practice, host):
    own = f"{host}:{practice.service.port}"
    sent = {"Host": own, "Origin": f"http://{own}"}
    assert practice.ask("POST", CUSTOMIZATION, json=LIST, headers=sent).status_code == 200


def test_a_path_that_is_not_there_is_404_in_json(practice):
    answer = practice.ask("POST", "/api/v1/services/nothing", json={})
    assert (answer.status_code, answer.json()["code"]) == (404, "NotFound")


@pytest.mark.parametrize("path", [CUSTOMIZATION, GENERATION])
def test_get_where_post_belongs_is_refused_in_the_services_words(practice, path):
    answer = practice.ask("GET", path)
    assert (answer.status_code, answer.json()["message"]) == (405, "Request method 'GET' is not supported.")


@pytest.mark.parametrize(
    ("method", "path", "key", "status"),
    [
        ("POST", CUSTOMIZATION, "wrong", 401),
        ("POST", CUSTOMIZATION, None, 400),
        ("GET", CUSTOMIZATION, None, 405),
        ("GET", "/nowhere", None, 404),
        ("GET", "/results/guessed.wav", "wrong", 403),
        ("GET", "/practice/health", None, 200),
        ("GET", "/api-ws/v1/realtime", "wrong", 401),
        ("GET", "/api-ws/v1/realtime", None, 400),
    ],
)
def test_every_answer_says_which_account_it_is_of(practice, method, path, key, status):
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    answer = practice.ask(method, path, headers=headers | {"Upgrade": "websocket"})
    assert answer.status_code == status
    assert answer.headers["X-Vcnb-Practice-Folder"] == practice.service.folder_id
    assert answer.headers["X-Vcnb-Practice-Settle"] == "2"
    assert answer.headers["x-request-id"]
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"


def raw(practice, *requests_of_one_line):
    """Send bytes as they are; give back all that comes until the service closes."""
    with socket.create_connection(("127.0.0.1", practice.service.port), timeout=10) as line:
        line.sendall(b"".join(requests_of_one_line))
        return b"".join(iter(lambda: line.recv(65_536), b""))


@pytest.mark.parametrize(
    "path",
    [
        "/results/../practice/faults",
        "/results/..%2fpractice/faults",
        "/results/%2e%2e/practice/faults",
        "//practice/faults",
    ],
)
def test_no_path_leads_past_the_key(practice, path):
    head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{practice.service.port}\r\nConnection: close\r\n\r\n"
    answer = raw(practice, head.encode())
    assert answer.split(b" ")[1] in (b"401", b"404")
    assert b"pending" not in answer


def test_what_is_no_http_is_not_quoted_in_the_log(practice, caplog):
    sent = f"GET / HTTP/1.1\r\nAuthorization: Bearer {practice.api_key.reveal()}\x01\r\n\r\n"
    assert raw(practice, sent.encode()).startswith(b"HTTP/1.0 400")
    assert practice.api_key.reveal() not in caplog.text


def test_requests_that_come_all_at_once_are_answered_in_their_order(practice):
    sent = []
    for size in range(1, 6):
        body = json.dumps({"model": "qwen-voice-enrollment", "input": {"action": "list", "page_size": size}})
        head = f"POST {CUSTOMIZATION} HTTP/1.1\r\nHost: 127.0.0.1:{practice.service.port}\r\n"
        head += f"Authorization: Bearer {practice.api_key.reveal()}\r\nContent-Length: {len(body)}\r\n"
        sent.append((head + ("Connection: close\r\n" if size == 5 else "") + "\r\n" + body).encode())
    assert re.findall(rb'"page_size": (\d)', raw(practice, *sent)) == [b"1", b"2", b"3", b"4", b"5"]


def test_a_body_that_is_not_packed_as_it_says_is_refused(practice):
    answer = practice.ask("POST", CUSTOMIZATION, data=b"{}", headers={"Content-Encoding": "gzip"})
    assert (answer.status_code, answer.json()["code"]) == (400, "BadRequest.IllegalInput")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "BadRequest.IllegalInput"),
        (b"{", "BadRequest.IllegalInput"),
        (b"[" * 100_000, "BadRequest.IllegalInput"),
        (b"[]", "BadRequest.IllegalInput"),
        (b'{"model": "qwen-voice-enrollment", "input": {"action": "list", "a": "\\uD800"}}', "BadRequest.IllegalInput"),
        (HALF, "BadRequest.IllegalInput"),
        (HALF.decode("utf-8", "surrogatepass").encode("utf-16-le", "surrogatepass"), "BadRequest.IllegalInput"),
        (b'{"input": {"action": "list"}}', "BadRequest.EmptyModel"),
        (b'{"model": "qwen-voice-enrollment"}', "BadRequest.EmptyInput"),
        (b'{"model": "qwen-voice-enrollment", "input": {}}', "BadRequest.EmptyInput"),
        (b'{"model": "m", "input": "x' + b"x" * (33 * 2**20) + b'"}', "BadRequest.TooLarge"),
    ],
    ids=[
        "empty",
        "broken",
        "deep",
        "array",
        "half a character",
        "half, raw",
        "UTF-16",
        "no model",
        "no input",
        "empty input",
        "33 MiB",
    ],
)
def test_a_body_of_another_form_has_its_own_code(practice, body, code):
    answer = practice.ask("POST", CUSTOMIZATION, data=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_a_body_of_14_mb_is_read_and_what_nobody_knows_in_it_ignored(practice):
    answer = practice.ask("POST", CUSTOMIZATION, json=LIST | {"unknown": "x" * 14_000_000})
    assert answer.status_code == 200
