from __future__ import annotations

from pathlib import Path

import pytest

from ckanext.openhuizhou.errors import AddressRefused, SourceUnreachable
from ckanext.openhuizhou.transport.guard import Guard, is_public


def resolving(*addresses: str) -> Guard:
    return Guard(resolver=lambda _host, _port: list(addresses))


class TestAddresses:
    @pytest.mark.parametrize(
        "address",
        [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "::1",
            "fe80::1%eth0",
            "fd00::1",
            "fec0::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "2002:7f00:1::",
            "64:ff9b::a00:1",
            "no address",
        ],
    )
    def test_what_is_not_on_the_internet_is_refused(self, address: str):
        assert not is_public(address)
        with pytest.raises(AddressRefused):
            resolving(address).addresses("data.example.com", 80)

    @pytest.mark.parametrize("address", ["8.8.8.8", "2001:4860:4860::8888", "::ffff:8.8.8.8"])
    def test_the_internet_is_open(self, address: str):
        assert resolving(address).addresses("data.example.com", 80) == [address]

    def test_one_bad_address_among_good_ones_refuses_all(self):
        with pytest.raises(AddressRefused):
            resolving("8.8.8.8", "127.0.0.1").addresses("data.example.com", 80)

    def test_numbers_in_other_spellings_are_the_same_address(self):
        for host in ("127.1", "2130706433", "0x7f000001", "localhost"):
            with pytest.raises(AddressRefused):
                Guard().addresses(host, 80)

    def test_only_the_very_host_and_port_are_approved(self):
        guard = Guard(frozenset({"127.0.0.1:8080"}))
        assert guard.addresses("127.0.0.1", 8080) == ["127.0.0.1"]
        with pytest.raises(AddressRefused):
            guard.addresses("127.0.0.1", 5432)

    def test_a_name_without_address_is_unreachable(self):
        with pytest.raises(SourceUnreachable):
            resolving().addresses("data.example.com", 80)


class TestFolder:
    def test_below_an_allowed_root_is_fine(self, tmp_path: Path):
        (tmp_path / "drop").mkdir()
        assert Guard(allowed_roots=(tmp_path,)).folder(tmp_path / "drop") == tmp_path / "drop"

    def test_ways_out_are_refused(self, tmp_path: Path):
        root = tmp_path / "drop"
        root.mkdir()
        (root / "link").symlink_to(tmp_path)
        guard = Guard(allowed_roots=(root,))
        for path in ("/etc", root / ".." / "other", root / "link", f"{root}-other"):
            with pytest.raises(AddressRefused):
                guard.folder(path)
