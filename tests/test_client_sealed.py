"""The encrypted line, which the hosted service always has: trusted, untrusted, stopped from another thread."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import ipaddress
import ssl
import threading
import time
from urllib.parse import urlsplit

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from vcnb import errors
from vcnb.client.dial import _connection
from vcnb.client.enrollment import EnrollmentClient
from vcnb.client.speaking import open_stream

HTTP, REALTIME = "qwen3-tts-vc-2026-01-22", "qwen3-tts-vc-realtime-2026-01-15"
OURS = ("vcnb-speech", "vcnb-deadline", "vcnb-realtime")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1 that vouches for itself, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "practice")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = tmp_path_factory.mktemp("certificate") / "practice.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    return path


@pytest.fixture
def sealed(practice, certificate):
    """The practice service behind an encrypted line: settings that lead through it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    loop = asyncio.new_event_loop()

    async def pump(source, target, rename=lambda data: data):
        with contextlib.suppress(OSError):
            while data := await source.read(65_536):
                target.write(rename(data))
                await target.drain()
        target.close()

    async def carry(reader, writer):
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", practice.service.port)
        own = f"127.0.0.1:{port}".encode()
        plain = f"127.0.0.1:{practice.service.port}".encode()

        def rename(data):
            return data.replace(b"https://" + own, b"http://" + plain).replace(own, plain)

        try:
            await asyncio.gather(pump(reader, inner_writer, rename), pump(inner_reader, writer))
        finally:
            inner_writer.transport.abort()
            writer.transport.abort()

    handshakes: list[object] = []
    context.sni_callback = lambda *about: handshakes.append(about)
    server = loop.run_until_complete(asyncio.start_server(carry, "127.0.0.1", 0, ssl=context))
    port = server.sockets[0].getsockname()[1]
    loop.set_exception_handler(lambda *_: None)  # handshakes that fail are what some tests want
    thread = threading.Thread(target=loop.run_forever, daemon=True, name="sealed")
    thread.start()
    practice.handshakes = handshakes
    yield practice.settings(base_url=f"https://127.0.0.1:{port}/api/v1")

    async def end():
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        for _ in range(5):  # turns of the loop, in which the lines are closed
            await asyncio.sleep(0)

    asyncio.run_coroutine_threadsafe(end(), loop).result(5)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture
def trusted(monkeypatch, certificate):
    monkeypatch.setattr(requests.adapters, "DEFAULT_CA_BUNDLE_PATH", str(certificate))
    monkeypatch.setattr(requests.utils, "DEFAULT_CA_BUNDLE_PATH", str(certificate))


def speak(settings, practice, transport, text="Hello there."):
    model = REALTIME if transport == "realtime" else HTTP
    return open_stream(settings, text, voice=practice.voice(model), target_model=model, transport=transport, timeout=5)


@pytest.mark.parametrize("transport", ["sse", "realtime"])
def test_speech_comes_through_the_encrypted_line(sealed, trusted, practice, transport):
    assert speak(sealed, practice, transport).speech.duration == pytest.approx(0.72, abs=0.03)


def test_voices_are_listed_through_the_encrypted_line(sealed, trusted, practice):
    voice = practice.voice()
    assert [each.voice for each in EnrollmentClient(sealed).list_voices()] == [voice]


@pytest.mark.parametrize("host", ["dashscope-intl.aliyuncs.com", "127.0.0.1"])
@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", None])
def test_the_socket_trusts_whom_the_other_requests_trust(monkeypatch, certificate, host, name):
    for other in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(other, raising=False)
    if name:
        monkeypatch.setenv(name, str(certificate))
    connection = _connection(urlsplit(f"wss://{host}/api-ws/v1/realtime"), timeout=1)
    own = requests.utils.DEFAULT_CA_BUNDLE_PATH
    assert connection.ca_certs == (str(certificate) if name and host != "127.0.0.1" else own)


@pytest.mark.parametrize("transport", ["sse", "realtime"])
def test_a_stream_on_the_encrypted_line_is_stopped_as_fast(sealed, trusted, practice, transport):
    practice.fault("stall_mid", transport)
    stream = speak(sealed, practice, transport)
    next(stream)
    began = time.monotonic()
    stream.cancel()
    assert time.monotonic() - began < 0.25
    until = time.monotonic() + 5
    while any(each.name in OURS for each in threading.enumerate()):
        assert time.monotonic() < until
        time.sleep(0.005)
    with pytest.raises(errors.CancelledError):
        list(stream)


@pytest.mark.parametrize("transport", ["http", "sse", "realtime", "list"])
def test_a_stranger_with_a_certificate_of_its_own_gets_nothing_and_is_asked_once(sealed, practice, transport):
    with pytest.raises(errors.ServiceUnreachableError, match=r"not trusted\. Nothing was sent") as caught:
        EnrollmentClient(sealed).list_voices() if transport == "list" else speak(sealed, practice, transport).speech
    assert "REQUESTS_CA_BUNDLE" in caught.value.remedy
    assert len(practice.handshakes) == 1
    assert practice.counters()["upgrade"] == practice.counters()["sse"] == practice.counters()["synthesis"] == 0
