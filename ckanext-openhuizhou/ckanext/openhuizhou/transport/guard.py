"""May we connect there? Resolve, check, pin: one function for every way out.

A name is resolved once; the addresses that were checked are the ones that are connected to, so that a name that
changes its address between check and use (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from ckanext.openhuizhou.errors import AddressRefused, SourceUnreachable

#: ``(host, port) -> addresses``; the system's resolver unless a test brings another.
Resolver = Callable[[str, int], list[str]]


def system_resolver(host: str, port: int) -> list[str]:
    """Every address of ``host``, in the order in which the system prefers them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True, slots=True)
class Guard:
    """Which addresses and folders sources may read.

    ``allowed_hosts``: ``host:port`` in private ranges that an administrator approved.
    ``allowed_roots``: folders below which drop folders may lie.
    """

    allowed_hosts: frozenset[str] = frozenset()
    allowed_roots: tuple[Path, ...] = ()
    resolver: Resolver = field(default=system_resolver)

    def addresses(self, host: str, port: int) -> list[str]:
        """Addresses of ``host`` that may be connected to; all others were refused.

        Raises:
            AddressRefused: the host is, or resolves to, an address that is not on the public internet, and nobody
                approved ``host:port``.
            SourceUnreachable: the name has no address.
        """
        host = host.strip("[]").lower()
        try:
            found = self.resolver(host, port)
        except (OSError, UnicodeError) as error:
            raise SourceUnreachable("{host} has no address", host=host) from error
        if not found:
            raise SourceUnreachable("{host} has no address", host=host)
        if f"{host}:{port}" in self.allowed_hosts:
            return found
        for address in found:
            if not is_public(address):
                raise AddressRefused("{address} may not be read", address=f"{host}:{port}")
        return found

    def folder(self, path: str | Path) -> Path:
        """The real path of a folder below an allowed root.

        Raises:
            AddressRefused: the path, symlinks resolved, is below no allowed root.
        """
        real = Path(path).resolve()
        if not any(real == root or root in real.parents for root in (root.resolve() for root in self.allowed_roots)):
            raise AddressRefused("{address} may not be read", address=str(path))
        return real


def is_public(address: str) -> bool:
    """Whether an address is on the public internet; forms that carry a private IPv4 address inside are not."""
    try:
        parsed = ipaddress.ip_address(address.split("%")[0])
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address):
        inner: Iterable[ipaddress.IPv4Address | None] = (
            parsed.ipv4_mapped,
            parsed.sixtofour,
            parsed.teredo[1] if parsed.teredo else None,
            _nat64(parsed),
        )
        if any(one is not None and not is_public(str(one)) for one in inner):
            return False
        if parsed.ipv4_mapped is not None:
            return True
        if parsed.is_site_local:  # fec0::/10, private until 2004, and to Python's "global" no exception
            return False
    return parsed.is_global and not parsed.is_multicast and not parsed.is_reserved


def _nat64(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if address in ipaddress.ip_network("64:ff9b::/96"):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return None
