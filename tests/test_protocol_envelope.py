"""The one table: which code with which status is which error, and what is said about it."""

from __future__ import annotations

import json

import pytest

from vcnb import errors
from vcnb.protocol.envelope import decipher, error_of, masked, request_headers
from vcnb.settings import Secret

VOICE = "Invalid voice specified, the requested voice does not exist or is not licensed for use"
STORAGE = "Maximum voice storage limit exceeded, please delete existing voices."

# code, status, message -> class. The reference's catalogue, row by row.
TABLE = [
    ("InvalidParameter", 400, "Required parameter(s) missing or invalid", "InvalidRequestError"),
    ("InvalidParameter", 400, "Range of input length should be [1, 600]", "InvalidRequestError"),
    ("InvalidParameter", 400, "url error, please check url！", "InvalidRequestError"),
    ("InvalidParameter", 400, "Invalid message type: ", "InvalidRequestError"),
    ("InvalidParameter", 400, VOICE, "ModelMismatchError"),
    ("InvalidParameter", 400, "Input should be 'Cherry', 'Serena': parameters.audio.voice", "ModelMismatchError"),
    ("InvalidParameter", 400, "Model not exist.", "InvalidRequestError"),
    ("InvalidParameter", None, VOICE, "ModelMismatchError"),
    ("BadRequest.EmptyInput", 400, "Required input parameter missing from request", "InvalidRequestError"),
    ("BadRequest.EmptyParameters", 400, "", "InvalidRequestError"),
    ("BadRequest.EmptyModel", 400, "", "InvalidRequestError"),
    ("BadRequest.IllegalInput", 400, "", "InvalidRequestError"),
    ("BadRequest.InputDownloadFailed", 400, "Failed to download the input file.", "AudioRejectedError"),
    ("BadRequest.UnsupportedFileFormat", 400, "File format unsupported.", "AudioRejectedError"),
    ("BadRequest.TooLarge", 400, "Payload Too Large.", "AudioRejectedError"),
    ("BadRequest.VoiceNotFound", 400, "Voice 'x' not found.", "VoiceNotFoundError"),
    ("BadRequest.ResourceNotExist", 400, "", "VoiceNotFoundError"),
    ("Audio.PreprocessError", 400, "ASR text check failed, wer: 0.9", "AudioRejectedError"),
    ("Audio.DecoderError", 400, "Decoder audio file failed.", "AudioRejectedError"),
    ("Audio.AudioRateError", 400, "File sample rate unsupported.", "AudioRejectedError"),
    ("Audio.DurationLimitError", 400, "Audio duration exceeds maximum allowed limit.", "AudioRejectedError"),
    ("Audio.AudioShortError", 400, "valid audio too short!", "AudioRejectedError"),
    ("Audio.AudioSilentError", 400, "silent audio error!", "AudioRejectedError"),
    ("Audio.DecoderError", 430, "", "AudioRejectedError"),
    ("Audio.FileSizeExceed", 430, "File too large", "AudioRejectedError"),
    ("Throttling.AllocationQuota", 400, STORAGE, "QuotaError"),
    ("Throttling.AllocationQuota", 429, "Allocated quota exceeded", "RateLimitedError"),
    ("Throttling.AllocationQuota", None, STORAGE, "QuotaError"),
    ("Throttling.AllocationQuota", None, "Allocated quota exceeded", "RateLimitedError"),
    ("DataInspectionFailed", 400, "Input data may contain inappropriate content.", "ContentRefusedError"),
    ("Arrearage", 400, "Access denied, please make sure your account is in good standing.", "QuotaError"),
    ("InvalidURL", 400, "", "InvalidRequestError"),
    ("ClientDisconnect", 400, "", "InvalidRequestError"),
    ("InvalidApiKey", 401, "Invalid API-key provided.", "AuthenticationError"),
    ("invalid_api_key", 401, "Incorrect API key provided.", "AuthenticationError"),
    ("AccessDenied", 403, "Access denied.", "AccessDeniedError"),
    ("AccessDenied.Unpurchased", 403, "", "AccessDeniedError"),
    ("Model.AccessDenied", 403, "Model access denied.", "AccessDeniedError"),
    ("Workspace.AccessDenied", 403, "", "AccessDeniedError"),
    ("AllocationQuota.FreeTierOnly", 403, "", "QuotaError"),
    ("ModelNotFound", 404, "Model can not be found.", "InvalidRequestError"),
    ("WorkSpaceNotFound", 404, "", "InvalidRequestError"),
    ("NotFound", 404, "", "InvalidRequestError"),
    ("Throttling", 429, "Requests throttling triggered.", "RateLimitedError"),
    ("Throttling.RateQuota", 429, "", "RateLimitedError"),
    ("Throttling.RateQuota", None, "", "RateLimitedError"),
    ("LimitRequests", 429, "", "RateLimitedError"),
    ("Throttling.BurstRate", 429, "", "RateLimitedError"),
    ("CommodityNotPurchased", 429, "", "QuotaError"),
    ("PrepaidBillOverdue", 429, "", "QuotaError"),
    ("PostpaidBillOverdue", 429, "", "QuotaError"),
    ("InternalError", 500, "An internal error has occured", "ServiceBrokenError"),
    ("InternalError.Algo", 500, "", "ServiceBrokenError"),
    ("InternalError.Timeout", 500, "", "ServiceBrokenError"),
    ("SystemError", 500, "", "ServiceBrokenError"),
    ("ModelServiceFailed", 500, "", "ServiceBrokenError"),
    ("RequestTimeOut", 500, "", "ServiceBrokenError"),
    ("ModelServingError", 503, "", "ServiceBrokenError"),
    ("ModelUnavailable", 503, "", "ServiceBrokenError"),
    ("CLIENT_ERROR", None, "Engine return error code: 411", "ModelMismatchError"),
    ("", None, "Engine return error code: 418", "ModelMismatchError"),
    ("invalid_value", None, "Session update error: session already started", "InvalidRequestError"),
    # what nobody documents: the family, then the status
    ("Audio.SomethingNew", 400, "", "AudioRejectedError"),
    ("Throttling.SomethingNew", 429, "", "RateLimitedError"),
    ("NeverHeardOf", 418, "", "InvalidRequestError"),
    ("NeverHeardOf", 502, "", "ServiceBrokenError"),
    ("", 401, "", "AuthenticationError"),
    ("", 403, "", "AccessDeniedError"),
    ("", 429, "", "RateLimitedError"),
]


@pytest.mark.parametrize(("code", "status", "message", "kind"), TABLE)
def test_each_code_and_status_is_one_class_with_a_remedy(code, status, message, kind):
    found = error_of(code, message, status=status, request_id="r-1", region="singapore")
    assert type(found) is getattr(errors, kind)
    assert found.remedy
    assert (found.code, found.status, found.request_id) == (code, status, "r-1")
    assert message.strip() in str(found)


def test_a_wrong_key_names_the_region_it_was_tried_in():
    body = json.dumps({"code": "InvalidApiKey", "message": "Invalid API-key provided.", "request_id": "r"}).encode()
    with pytest.raises(errors.AuthenticationError, match='region is now "beijing"'):
        decipher(401, body, region="beijing")
    with pytest.raises(errors.AuthenticationError, match=r"try: give the key that `vcnb practice` prints$"):
        decipher(401, body, region="practice")


@pytest.mark.parametrize("body", [b"{}", b"", b"[]", b"null", b'{"code": null}'])
def test_an_empty_refusal_says_so_and_points_at_the_public_host(body):
    with pytest.raises(errors.InvalidRequestError, match=r"(?s)status 400 and said nothing|null|\[\]") as caught:
        decipher(400, body, region="singapore")
    if body in (b"{}", b"", b'{"code": null}'):
        assert "base_url" in caught.value.remedy


def test_a_page_of_a_gateway_becomes_its_words():
    with pytest.raises(errors.ServiceBrokenError, match="Bad Gateway") as caught:
        decipher(502, b"<html><body><h1>502   Bad Gateway</h1></body></html>" + b"x" * 10_000, region="")
    assert "<" not in caught.value.message
    assert len(caught.value.message) <= 500


@pytest.mark.parametrize("body", [b"", b"[1]", b"<html>", b"\xff\xfe", b"[" * 100_000])
def test_a_success_that_is_no_object_is_no_success(body):
    with pytest.raises(errors.ServiceBrokenError, match="no JSON object"):
        decipher(200, body, region="")


def test_a_success_that_bears_a_code_is_a_refusal():
    with pytest.raises(errors.RateLimitedError):
        decipher(200, b'{"code": "Throttling", "message": "slow down"}', region="")


@pytest.mark.parametrize("output", ["", ', "output": null', ', "output": []'])
def test_a_missing_output_is_an_empty_one(output):
    assert decipher(200, f'{{"request_id": "r"{output}}}'.encode(), region="")["output"] == {}


def test_a_key_that_the_service_echoes_is_blotted_out():
    key = Secret("p4ssw0rd-of-the-practice-service")
    body = {"code": "InvalidApiKey", "message": f"Bearer sk-0123456789abcdef is bad, and {key.reveal()} too"}
    with pytest.raises(errors.AuthenticationError) as caught:
        decipher(401, json.dumps(body).encode(), region="", key=key)
    assert key.reveal() not in str(caught.value)
    assert "0123456789" not in str(caught.value)
    assert masked("nothing to hide", key) == "nothing to hide"


def test_the_headers_hold_no_key():
    assert request_headers("ws_1")["X-DashScope-WorkSpace"] == "ws_1"
    assert not any("auth" in name.lower() for name in request_headers("ws_1"))


def test_a_message_is_one_line_that_no_terminal_obeys():
    assert error_of("", "no\r\n  more\x1b[2J\x07 \u2028room", status=400).message == "no more [2J room"
