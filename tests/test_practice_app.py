"""Who is let in, and in which form the service says no."""

from __future__ import annotations

import pytest
import requests

CUSTOMIZATION = "/api/v1/services/audio/tts/customization"
GENERATION = "/api/v1/services/aigc/multimodal-generation/generation"
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
    ("body", "code"),
    [
        (b"", "BadRequest.IllegalInput"),
        (b"{", "BadRequest.IllegalInput"),
        (b"[" * 100_000, "BadRequest.IllegalInput"),
        (b"[]", "BadRequest.IllegalInput"),
        (b'{"model": "qwen-voice-enrollment", "input": {"action": "list", "a": "\\uD800"}}', "BadRequest.IllegalInput"),
        (b'{"input": {"action": "list"}}', "BadRequest.EmptyModel"),
        (b'{"model": "qwen-voice-enrollment"}', "BadRequest.EmptyInput"),
        (b'{"model": "qwen-voice-enrollment", "input": {}}', "BadRequest.EmptyInput"),
        (b'{"model": "m", "input": "x' + b"x" * (33 * 2**20) + b'"}', "BadRequest.TooLarge"),
    ],
    ids=["empty", "broken", "deep", "array", "half a character", "no model", "no input", "empty input", "33 MiB"],
)
def test_a_body_of_another_form_has_its_own_code(practice, body, code):
    answer = practice.ask("POST", CUSTOMIZATION, data=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_a_body_of_14_mb_is_read_and_what_nobody_knows_in_it_ignored(practice):
    answer = practice.ask("POST", CUSTOMIZATION, json=LIST | {"unknown": "x" * 14_000_000})
    assert answer.status_code == 200
