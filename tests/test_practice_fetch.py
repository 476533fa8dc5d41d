"""A recording comes in by its address, and nothing else does.

A real TLS server on loopback stands in for hosts of the internet: the names resolve to public addresses, which pass the
real check, and only the last step, the connection, is led back to this machine.
"""

from __future__ import annotations

import asyncio
import datetime
import gzip
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from vcnb.practice.fetch import Network, fetch
from vcnb.practice.rules import Refusal
from vcnb.settings import is_public

PUBLIC = "93.184.216.34"
SOUND = b"RIFF....WAVE" * 1000
PACKED = gzip.compress(bytes(50_000_000))
FAILED = "BadRequest.InputDownloadFailed"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of this test alone for sound.example, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sound.example")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("sound.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "sound.example.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


class Host:
    """A server on loopback, and how often each path was asked for."""

    def __init__(self, port: int, asked: list[str]) -> None:
        self.port = port
        self.asked = asked


@asynccontextmanager
async def serving(certificate: Path | None = None) -> AsyncIterator[Host]:
    asked: list[str] = []

    async def file(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        return web.Response(body=SOUND)

    async def large(request: web.Request) -> web.StreamResponse:
        return web.Response(body=bytes(int(request.query["bytes"])))

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(bytes(65_536))
            asked.append("piece")

    async def packed(request: web.Request) -> web.StreamResponse:
        return web.Response(body=PACKED, headers={"Content-Encoding": "gzip"})

    async def slow(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"\0")
            await asyncio.sleep(0.02)

    async def hop(request: web.Request) -> web.StreamResponse:
        left = int(request.match_info["left"])
        target = f"/hop/{left - 1}" if left else request.query.get("to", "/file")
        raise web.HTTPFound(target + (f"?{request.query_string}" if left and request.query_string else ""))

    app = web.Application()
    app.add_routes(
        [
            web.get("/file", file),
            web.get("/large", large),
            web.get("/endless", endless),
            web.get("/packed", packed),
            web.get("/slow", slow),
            web.get("/hop/{left}", hop),
        ]
    )
    context = None
    if certificate is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    try:
        yield Host(runner.addresses[0][1], asked)
    finally:
        await runner.cleanup()


def internet(certificate: Path, **names: list[str]) -> Network:
    async def look_up(host: str) -> list[str]:
        return {"sound.example": [PUBLIC], **names}[host]

    return Network(
        look_up=look_up,
        certificates=lambda: ssl.create_default_context(cafile=str(certificate)),
        route=lambda _: "127.0.0.1",
    )


def run(scenario: Callable[[Host], Awaitable[bytes]], certificate: Path | None = None) -> tuple[bytes, list[str]]:
    async def main() -> tuple[bytes, list[str]]:
        async with serving(certificate) as host:
            return await scenario(host), host.asked

    return asyncio.run(main())


def test_a_published_file_comes_in(certificate):
    found, _ = run(
        lambda host: fetch(f"https://sound.example:{host.port}/file", own_port=1, network=internet(certificate)),
        certificate,
    )
    assert found == SOUND


def test_the_service_reads_its_own_results():
    for name in ("127.0.0.1", "localhost"):
        found, _ = run(lambda host, name=name: fetch(f"http://{name}:{host.port}/file", own_port=host.port))
        assert found == SOUND


def test_another_server_of_this_machine_is_not_asked():
    async def scenario(host: Host) -> bytes:
        for name in ("127.0.0.1", "localhost"):
            with pytest.raises(Refusal, match=FAILED):
                await fetch(f"http://{name}:{host.port}/file", own_port=host.port + 1)
        return b""

    assert run(scenario)[1] == []


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "127.0.0.1.",
        "0.0.0.0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[fe80::1]",
        "[fc00::1]",
        "[ff02::1]",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "224.0.0.1",
        "255.255.255.255",
        "localhost",
        "①②⑦.⓪.⓪.①",
        "user:secret@sound.example",
        "user@sound.example",
        "",
    ],
)
def test_no_way_of_writing_an_address_leads_behind_the_walls(host, certificate):
    async def look_up(name: str) -> list[str]:
        return {"sound.example": [PUBLIC]}.get(name) or ["127.0.0.1"]  # what a system would make of such names

    network = Network(look_up, internet(certificate).certificates, route=lambda _: "127.0.0.1")

    async def scenario(server: Host) -> bytes:
        with pytest.raises(Refusal, match=FAILED):
            await fetch(f"https://{host}:{server.port}/file", own_port=server.port, network=network)
        return b""

    assert run(scenario, certificate)[1] == []


@pytest.mark.parametrize(
    "url",
    [
        "http://sound.example/file",
        "ftp://sound.example/file",
        "file:///etc/hostname",
        "gopher://127.0.0.1:70/x",
        "https:///file",
        "https://",
        "//sound.example/file",
        "https://sound.example:99999/file",
        "https://sound.example\\@127.0.0.1/file",
        "https://[::1/file",
        "no address at all",
        "\x00",
        "",
    ],
)
def test_only_https_is_followed(url, certificate):
    with pytest.raises(Refusal, match=FAILED):
        asyncio.run(fetch(url, own_port=1, network=internet(certificate)))


@pytest.mark.parametrize(
    "url",
    [
        "http://sound.example:{port}/file",
        "http://user@127.0.0.1:{port}/file",
        "http://127.0.0.1:{port}/hop/0",
        "http://127.0.0.1:{port}/hop/0?to=http://127.0.0.1:{port}/file",
        "http://127.0.0.1:{port}/hop/0?to=http://sound.example:{port}/file",
    ],
)
def test_plain_http_is_for_the_own_address_that_was_asked_for_and_for_nothing_it_leads_to(url, certificate):
    async def scenario(host: Host) -> bytes:
        with pytest.raises(Refusal, match=FAILED):
            await fetch(url.format(port=host.port), own_port=host.port, network=internet(certificate))
        return b""

    assert run(scenario)[1] == []


@pytest.mark.parametrize("answer", [["127.0.0.1"], ["10.0.0.7"], [PUBLIC, "127.0.0.1"], ["::ffff:127.0.0.1"], []])
def test_a_name_is_worth_what_it_resolves_to(answer, certificate):
    async def scenario(host: Host) -> bytes:
        network = internet(certificate, **{"sound.example": answer})
        with pytest.raises(Refusal, match=FAILED):
            await fetch(f"https://sound.example:{host.port}/file", own_port=1, network=network)
        return b""

    assert run(scenario, certificate)[1] == []


def test_a_name_that_changes_its_mind_is_looked_up_once_and_its_checked_address_used(certificate):
    answers = [[PUBLIC], ["127.0.0.1"]]
    connected = []

    async def look_up(_: str) -> list[str]:
        return answers.pop(0)

    def route(address: str) -> str:
        connected.append(address)
        return "127.0.0.1"

    network = Network(look_up, internet(certificate).certificates, route)
    found, _ = run(
        lambda host: fetch(f"https://sound.example:{host.port}/file", own_port=1, network=network), certificate
    )
    assert found == SOUND
    assert connected == [PUBLIC]


def test_a_host_without_a_certificate_for_its_name_is_not_read(certificate):
    async def scenario(host: Host) -> bytes:
        network = internet(certificate, **{"other.example": [PUBLIC]})
        with pytest.raises(Refusal, match=FAILED):
            await fetch(f"https://other.example:{host.port}/file", own_port=1, network=network)
        return b""

    assert run(scenario, certificate)[1] == []


@pytest.mark.parametrize(("hops", "arrives"), [(2, True), (3, False)])
def test_three_redirects_are_followed_and_no_more(hops, arrives, certificate):
    # /hop/2 -> /hop/1 -> /hop/0 -> /file: three redirects
    async def scenario(host: Host) -> bytes:
        return await fetch(f"https://sound.example:{host.port}/hop/{hops}", own_port=1, network=internet(certificate))

    if arrives:
        assert run(scenario, certificate)[0] == SOUND
    else:
        with pytest.raises(Refusal, match=FAILED):
            run(scenario, certificate)


@pytest.mark.parametrize(
    "target",
    [
        "https://127.0.0.1:{port}/file",
        "http://127.0.0.1:{port}/file",
        "https://inside.example:{port}/file",
        "http://sound.example:{port}/file",
        "https://user@sound.example:{port}/file",
        "file:///etc/hostname",
    ],
)
@pytest.mark.parametrize("hops", [0, 1])
def test_a_redirect_opens_no_door_that_is_shut(target, hops, certificate):
    async def scenario(host: Host) -> bytes:
        network = internet(certificate, **{"inside.example": ["192.168.0.10"]})
        to = target.format(port=host.port)
        with pytest.raises(Refusal, match=FAILED):
            await fetch(f"https://sound.example:{host.port}/hop/{hops}?to={to}", own_port=host.port, network=network)
        return b""

    assert run(scenario, certificate)[1] == []


@pytest.mark.parametrize(("n_bytes", "code"), [(10 * 2**20, None), (10 * 2**20 + 1, "BadRequest.TooLarge")])
def test_a_file_has_at_most_ten_megabytes(n_bytes, code):
    async def scenario(host: Host) -> bytes:
        return await fetch(f"http://127.0.0.1:{host.port}/large?bytes={n_bytes}", own_port=host.port)

    if code is None:
        assert len(run(scenario)[0]) == n_bytes
    else:
        with pytest.raises(Refusal, match=code):
            run(scenario)


def test_a_stream_without_end_is_hung_up_on():
    async def scenario(host: Host) -> bytes:
        with pytest.raises(Refusal, match=r"BadRequest\.TooLarge"):
            await fetch(f"http://127.0.0.1:{host.port}/endless", own_port=host.port)
        return b""

    assert 140 < len(run(scenario)[1]) < 400  # 10 MB are 153 pieces; the rest lies in buffers


def test_what_is_packed_stays_packed():
    found, _ = run(lambda host: fetch(f"http://127.0.0.1:{host.port}/packed", own_port=host.port))
    assert found == PACKED


@pytest.mark.parametrize("path", ["slow", "file"])
def test_a_server_that_drips_is_given_up_after_the_whole_time_and_a_quick_one_is_not(path):
    async def scenario(host: Host) -> bytes:
        return await fetch(f"http://127.0.0.1:{host.port}/{path}", own_port=host.port, seconds=0.5)

    if path == "file":
        assert run(scenario)[0] == SOUND
    else:
        begun = time.monotonic()
        with pytest.raises(Refusal, match=FAILED):
            run(scenario)
        assert time.monotonic() - begun < 10


def test_a_missing_file_and_a_closed_port_are_no_download():
    async def scenario(host: Host) -> bytes:
        with pytest.raises(Refusal, match=FAILED):
            await fetch(f"http://127.0.0.1:{host.port}/missing", own_port=host.port)
        return b""

    run(scenario)
    with pytest.raises(Refusal, match=FAILED):
        asyncio.run(fetch("http://127.0.0.1:9/file", own_port=9, seconds=2))


@pytest.mark.parametrize(
    ("address", "public"),
    [
        (PUBLIC, True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("64:ff9b::5db8:d822", True),
        ("::ffff:93.184.216.34", True),
        ("64:ff9b::a00:1", False),
        ("2002:a00:1::", False),
        ("fec0::1", False),
        ("2001:db8::1", False),
        ("203.0.113.1", False),
        ("240.0.0.1", False),
        ("fe80::1%eth0", False),
        ("sound.example", False),
    ],
)
def test_an_address_is_judged_by_what_it_carries(address, public):
    assert is_public(address) is public
