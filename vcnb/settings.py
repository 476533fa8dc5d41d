"""Which service, with which key: argument, then environment, then file; read when asked, never at import."""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

from vcnb.catalog import REGIONS
from vcnb.errors import SettingsError

__all__ = [
    "Secret",
    "Settings",
    "data_folder",
    "find_key",
    "is_loopback",
    "is_public",
    "region_of",
    "resolve",
    "sealed",
]

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052: an IPv4 address in its last four bytes
_UNICAST = ipaddress.IPv6Network("2000::/3")  # RFC 4291: all that is given out
_TOKEN = re.compile(r"[\x21-\x7e]+")  # what a header carries as it is


class Secret:
    """A key that shows itself to nobody who does not ask.

    Parameters
    ----------
    value : str
        The key.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the key itself, for the one line that sends it."""
        return self._value

    def sendable(self) -> bool:
        """Say whether a header carries it as it is."""
        return bool(_TOKEN.fullmatch(self._value))

    def __repr__(self) -> str:
        # Four letters tell two keys apart; a short key would be given away by them.
        return f"Secret(…{self._value[-4:]})" if len(self._value) >= 16 else "Secret(…)"

    __str__ = __repr__

    def __bool__(self) -> bool:
        return bool(self._value)

    def __format__(self, _spec: str) -> str:
        return repr(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is not pickled: it must not travel to workers or into files")


@dataclass(frozen=True)
class Settings:
    """Where requests go and who they come from.

    Parameters
    ----------
    region : str
        "singapore", "beijing" or "practice".
    base_url : str
        HTTP base, ending in ``/api/v1``.
    api_key : Secret
        The key of that region.
    workspace : str or None
        Sent as ``X-DashScope-WorkSpace``.
    data : Path
        Folder of the library and of the practice service.

    Raises
    ------
    SettingsError
        If key or workspace hold characters that no header can carry.
    """

    region: str
    base_url: str
    api_key: Secret = field(repr=False)
    workspace: str | None = None
    data: Path = field(default_factory=lambda: data_folder(None))

    def __post_init__(self) -> None:
        if not self.api_key.sendable():
            raise _no_key()
        if self.workspace and not (isinstance(self.workspace, str) and _TOKEN.fullmatch(self.workspace)):
            raise SettingsError(f"{self.workspace!r} is no workspace.", remedy="copy its id from the console")

    @property
    def realtime_url(self) -> str:
        """WebSocket address that belongs to the HTTP base."""
        parts = urlsplit(self.base_url)
        scheme = "wss" if parts.scheme == "https" else "ws"
        return f"{scheme}://{parts.netloc}/api-ws/v1/realtime"


def data_folder(data: str | os.PathLike[str] | None) -> Path:
    """Find the folder of the library: argument, then ``VCNB_DATA``, then the platform's own.

    Parameters
    ----------
    data : path or None
        The argument.

    Returns
    -------
    Path
        Absolute; not made here.
    """
    given = data if data is not None else os.environ.get("VCNB_DATA")
    if given:
        return Path(os.path.expanduser(given)).absolute()
    import platformdirs

    return Path(platformdirs.user_data_path("vcnb", appauthor=False))


def find_key(api_key: str | Secret | None) -> Secret | None:
    """Find the key of the hosted service where the SDK would look for it.

    Parameters
    ----------
    api_key : str, Secret or None
        The argument.

    Returns
    -------
    Secret or None
        None where there is none.

    Raises
    ------
    SettingsError
        If the key holds characters that no header can carry.
    """
    found = sealed(os.environ.get("DASHSCOPE_API_KEY") if api_key is None else api_key)
    if not found:
        # Not Path.expanduser: it raises where the system knows no home, as in some containers.
        path = Path(os.path.expanduser(os.environ.get("DASHSCOPE_API_KEY_FILE_PATH") or "~/.dashscope/api_key"))
        try:
            found = sealed(path.read_text(encoding="utf-8", errors="replace")) if path.is_file() else None
        except OSError as error:
            raise SettingsError(
                f"The key file {path} cannot be read: {type(error).__name__}.", remedy="mend the file or remove it"
            ) from None
    if found and not found.sendable():
        raise _no_key()
    return found or None


def sealed(key: str | Secret | None) -> Secret | None:
    """Close a key in before anything can go wrong: a traceback that shows locals would show it.

    Parameters
    ----------
    key : str, Secret or None
        As it was given; without the white space around it from here on.
    """
    if key is None or isinstance(key, Secret):
        return key
    return Secret(key.strip() if isinstance(key, str) else "\0")  # what is no text is refused with what no key has


def is_loopback(host: str | None) -> bool:
    """Say whether a host is this machine and nothing else.

    Parameters
    ----------
    host : str or None
        Name or address, without port.
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def is_public(address: str) -> bool:
    """Tell whether an address is anybody's to reach.

    Parameters
    ----------
    address : str
        IPv4 or IPv6; one that carries another inside is judged by that.

    Returns
    -------
    bool
        False for loopback, private, link-local, multicast, reserved and unspecified ones, and for what is no address.
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour
        if inner is None and found in _NAT64:
            inner = ipaddress.IPv4Address(found.packed[-4:])
        if inner is None:
            return found in _UNICAST and found.is_global
        found = inner
    return found.is_global and not found.is_multicast


def region_of(base_url: str) -> str:
    """Tell the region that an HTTP base belongs to.

    Parameters
    ----------
    base_url : str
        For example ``"https://dashscope-intl.aliyuncs.com/api/v1"``.

    Returns
    -------
    str
        "practice" for a loopback address.

    Raises
    ------
    SettingsError
        If it is no address of the service: a key is not sent to strangers.
    """
    parts = _split(base_url)
    host = (parts.hostname or "").lower()
    if is_loopback(host):
        return "practice"
    for region in REGIONS.values():
        if host == urlsplit(region.http_base).hostname or host.endswith("." + region.workspace_suffix):
            if parts.scheme != "https" or parts.port not in (None, 443):
                raise SettingsError(f"{base_url} would send the key in the clear.", remedy="use https")
            return region.name
    raise SettingsError(
        f"{base_url} is no address of Model Studio; the key is not sent there.",
        remedy="use region='singapore' or 'beijing', or the address of a practice service",
    )


def resolve(
    region: str | None = None,
    *,
    api_key: str | Secret | None = None,
    base_url: str | None = None,
    data: str | os.PathLike[str] | None = None,
) -> tuple[str, str | None, Secret | None, Path]:
    """Decide region, HTTP base, key and folder from what was given, the environment and the files.

    The address and key of a practice service that runs for the folder are not known here: for region
    "practice" without ``base_url`` the base and the key come back as None.

    Parameters
    ----------
    region : {"singapore", "beijing", "practice"} or None
        None: the region of ``base_url``; else Singapore where a key is found; else practice.
    api_key, base_url, data
        See :func:`vcnb.connect`.

    Returns
    -------
    tuple
        Region, HTTP base or None, key or None, data folder.

    Raises
    ------
    SettingsError
        On a region that does not exist or contradicts the address, or a missing key.
    """
    if not isinstance(data, str | os.PathLike | None):
        raise SettingsError(f"The data folder is no path but {type(data).__name__}.", remedy="give a path")
    if not isinstance(base_url, str | None):
        raise SettingsError(f"The base_url is no string but {type(base_url).__name__}.", remedy="give a str")
    folder = data_folder(data)
    if region is not None and not (isinstance(region, str) and region in (*REGIONS, "practice")):
        raise SettingsError(f"There is no region {region!r}.", remedy="use 'singapore', 'beijing' or 'practice'")
    if base_url is not None:
        found = region_of(base_url)
        if region is not None and region != found:
            raise SettingsError(
                f"{base_url} belongs to region {found!r}, not {region!r}.", remedy="leave out one of the two"
            )
        base = base_url.rstrip("/")
        return found, base, _needed(found, find_key(api_key)) if found != "practice" else find_key(api_key), folder
    if region == "practice":
        return "practice", None, None, folder
    key = find_key(api_key)
    if region is None and key is None:
        return "practice", None, None, folder
    chosen = REGIONS[region or "singapore"]
    return chosen.name, chosen.http_base, _needed(chosen.name, key), folder


def _no_key() -> SettingsError:
    return SettingsError(
        "The key holds a space or a character that no key has.", remedy="copy it again from the console"
    )


def _needed(region: str, key: Secret | None) -> Secret:
    if key is None:
        raise SettingsError(
            f"Region {region!r} needs a key, and none was found.",
            remedy="set DASHSCOPE_API_KEY, or use region='practice', which needs none",
        )
    return key


def _split(base_url: str) -> Any:
    try:
        parts = urlsplit(base_url)
        _ = parts.port
    except ValueError:
        raise SettingsError(f"{base_url!r} is no address.", remedy="it looks like https://HOST/api/v1") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise SettingsError(f"{base_url!r} is no HTTP base.", remedy="it looks like https://HOST/api/v1")
    return parts
