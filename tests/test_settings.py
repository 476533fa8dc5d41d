"""Where a request goes and with whose key: argument, environment, file, in that order."""

import pickle
import traceback

import pytest

from vcnb.errors import SettingsError
from vcnb.settings import Secret, Settings, data_folder, find_key, is_loopback, region_of, resolve

KEY = "sk-canary0123456789abcdef"


def test_without_key_and_region_it_is_the_practice_service():
    assert resolve()[:3] == ("practice", None, None)


def test_a_key_and_no_region_is_singapore(monkeypatch):
    monkeypatch.setenv("DASHSCOPE_API_KEY", KEY)
    region, base, key, _ = resolve()
    assert (region, base) == ("singapore", "https://dashscope-intl.aliyuncs.com/api/v1")
    assert key is not None
    assert key.reveal() == KEY


def test_practice_takes_no_key_from_the_environment(monkeypatch):
    monkeypatch.setenv("DASHSCOPE_API_KEY", KEY)
    assert resolve("practice")[2] is None


def test_the_argument_wins_over_environment_and_environment_over_file(monkeypatch, tmp_path):
    file = tmp_path / "key"
    file.write_text("sk-from-file\n")
    monkeypatch.setenv("DASHSCOPE_API_KEY_FILE_PATH", str(file))
    assert find_key(None) == Secret("sk-from-file")
    monkeypatch.setenv("DASHSCOPE_API_KEY", "sk-from-environment")
    assert find_key(None) == Secret("sk-from-environment")
    assert find_key("sk-from-argument") == Secret("sk-from-argument")


@pytest.mark.parametrize(
    ("base_url", "region"),
    [
        ("https://dashscope-intl.aliyuncs.com/api/v1", "singapore"),
        ("https://dashscope.aliyuncs.com/api/v1/", "beijing"),
        ("https://ws1.ap-southeast-1.maas.aliyuncs.com/api/v1", "singapore"),
        ("https://ws1.cn-beijing.maas.aliyuncs.com/api/v1", "beijing"),
        ("http://127.0.0.1:8123/api/v1", "practice"),
        ("http://localhost:8123/api/v1", "practice"),
        ("http://[::1]:8123/api/v1", "practice"),
    ],
)
def test_an_address_tells_its_region(base_url, region):
    assert region_of(base_url) == region


@pytest.mark.parametrize(
    "base_url",
    [
        "http://dashscope.aliyuncs.com/api/v1",
        "https://dashscope.aliyuncs.com.evil.example/api/v1",
        "https://evil.example/dashscope.aliyuncs.com",
        "https://user:word@dashscope.aliyuncs.com/api/v1",
        "https://xdashscope.aliyuncs.com/api/v1",
        "https://dashscope.aliyuncs.com:8443/api/v1",
        "ftp://127.0.0.1/api/v1",
        "http://0.0.0.0:1/api/v1",
        "http://127.0.0.1.evil.example/api/v1",
        "http://127.0.0.1:99999/api/v1",
        "not an address",
        "",
    ],
)
def test_a_key_is_sent_to_no_stranger_and_never_in_the_clear(base_url):
    with pytest.raises(SettingsError):
        resolve(api_key=KEY, base_url=base_url)


def test_a_region_that_contradicts_the_address_is_refused():
    with pytest.raises(SettingsError, match="belongs to region 'beijing'"):
        resolve("singapore", api_key=KEY, base_url="https://dashscope.aliyuncs.com/api/v1")


def test_a_paid_region_without_a_key_is_refused():
    with pytest.raises(SettingsError, match="needs a key"):
        resolve("beijing")


@pytest.mark.parametrize("key", ["sk-with space", "sk-\u200bhidden", "sk-line\nbreak-inside"])
def test_a_key_that_no_header_can_carry_is_refused_without_being_shown(key):
    with pytest.raises(SettingsError) as caught:
        find_key(key)
    assert key not in "".join(traceback.format_exception(caught.value))


def test_the_realtime_address_follows_from_the_base():
    hosted = Settings("singapore", "https://dashscope-intl.aliyuncs.com/api/v1", Secret(KEY))
    assert hosted.realtime_url == "wss://dashscope-intl.aliyuncs.com/api-ws/v1/realtime"
    local = Settings("practice", "http://127.0.0.1:8123/api/v1", Secret(KEY))
    assert local.realtime_url == "ws://127.0.0.1:8123/api-ws/v1/realtime"


def test_a_secret_shows_at_most_its_end_and_does_not_travel():
    secret = Secret(KEY)
    settings = Settings("singapore", "https://dashscope-intl.aliyuncs.com/api/v1", secret)
    for shown in (repr(secret), str(secret), f"{secret}", f"{secret:>40}", repr(settings), str([secret])):
        assert KEY not in shown
        assert KEY[:10] not in shown
    assert repr(Secret("short")) == "Secret(…)"
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(settings)


@pytest.mark.parametrize(
    ("host", "answer"),
    [
        ("127.8.9.1", True),
        ("localhost", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("127.0.0.1.nip.io", False),
        (None, False),
    ],
)
def test_loopback_is_this_machine_and_nothing_else(host, answer):
    assert is_loopback(host) is answer


@pytest.mark.parametrize("bad", ["a\r\nX-More: b", "a b", "工作"])
def test_nothing_that_a_header_cannot_carry_is_taken(bad):
    base = "http://127.0.0.1:1/api/v1"
    with pytest.raises(SettingsError, match="no workspace"):
        Settings("practice", base, Secret(KEY), bad)
    with pytest.raises(SettingsError, match="no key has") as caught:
        Settings("practice", base, Secret(bad))
    assert bad not in str(caught.value)
    with pytest.raises(SettingsError, match="5 is no workspace"):
        Settings("practice", base, Secret(KEY), 5)
    assert Settings("practice", base, Secret(KEY), "ws_1-a").workspace == "ws_1-a"


def test_a_system_without_a_home_has_no_key_and_no_error(monkeypatch):
    monkeypatch.delenv("DASHSCOPE_API_KEY_FILE_PATH")
    for path in (None, "~nobody-of-that-name/key"):
        if path:
            monkeypatch.setenv("DASHSCOPE_API_KEY_FILE_PATH", path)
        monkeypatch.setenv("HOME", "~")  # what expanding gives where there is none
        monkeypatch.setattr("pathlib.Path.home", lambda: pytest.fail("asked for a home"))
        assert find_key(None) is None
    assert data_folder("~nobody-of-that-name/data").is_absolute()
