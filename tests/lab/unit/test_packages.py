#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Which mirror, which kernel, which version: decided without a network."""

import lzma
import tempfile
import unittest
from pathlib import Path

import lab_path  # noqa: F401
from pvslab import packages
from pvslab.common import LabError, Unavailable

URIS = """'http://mirror.example/security/debian-security/dists/x-security/InRelease' a 0
'https://mirror.example/some/debian/dists/x/InRelease' b 0
'https://mirror.example/some/debian/dists/x/main/binary-amd64/Packages.xz' c 0
"""


class Mirror(unittest.TestCase):
    def test_is_the_one_apt_is_set_up_with(self):
        self.assertEqual(packages.debian_mirror(URIS), "https://mirror.example/some/debian")

    def test_a_double_slash_does_not_matter(self):
        self.assertEqual(packages.debian_mirror("'mirror+http://m/debian//dists/x/InRelease' a 0"),
                         "mirror+http://m/debian")

    def test_none_is_a_reason_to_skip(self):
        with self.assertRaises(Unavailable):
            packages.debian_mirror("'https://other.example/apt/dists/x/InRelease' a 0\n")


class Versions(unittest.TestCase):
    def test_newest_comes_first_by_debian_order(self):
        versions = {"a": "7.3.4-1~bpo13+1", "b": "7.10.1-1", "c": "6.12.95-1"}
        self.assertEqual(packages.newest_first(versions, versions), ["b", "a", "c"])

    def test_split_packages_of_a_kernel_are_those_the_suite_has(self):
        versions = {"linux-image-7.3": "1", "linux-modules-7.3": "1", "linux-binary-7.4": "1"}
        self.assertEqual(packages.kernel_packages("linux-image-7.3", "7.3", versions),
                         [("linux-image-7.3", "1"), ("linux-modules-7.3", "1")])


class Modules(unittest.TestCase):
    def unpacked(self, name, data):
        with tempfile.TemporaryDirectory() as home:
            path = Path(home) / name
            path.write_bytes(data)
            return packages.plain_module(path)

    def test_compression_is_undone(self):
        self.assertEqual(self.unpacked("kvm.ko.xz", lzma.compress(b"elf")), b"elf")
        self.assertEqual(self.unpacked("kvm.ko", b"elf"), b"elf")

    def test_the_signature_is_cut_off(self):
        signature = b"s" * 300
        footer = bytes(8) + len(signature).to_bytes(4, "big")
        signed = b"elf" + signature + footer + packages.MODULE_SIGNED
        self.assertEqual(self.unpacked("kvm.ko", signed), b"elf")

    def test_what_is_no_zstd_frame_is_refused(self):
        with self.assertRaises(LabError):
            packages.zstd_decompress(b"not a frame at all")


if __name__ == "__main__":
    unittest.main()
