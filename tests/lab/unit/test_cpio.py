#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The initramfs: the same bytes each time, and an archive that cpio(1) can read."""

import shutil
import stat
import subprocess
import unittest

import lab_path  # noqa: F401
from pvslab import image
from pvslab.common import LabError


def members(order):
    files = {"bin/busybox": image.program(b"box"),
             "dev/console": (stat.S_IFCHR | 0o600, b"", (5, 1)),
             "init": image.program(b"#!/bin/sh\n"), "bin/sh": (stat.S_IFLNK | 0o777, b"busybox",
                                                              (0, 0))}
    return {name: files[name] for name in order(files)}


class Archive(unittest.TestCase):
    def test_the_order_of_members_does_not_matter(self):
        self.assertEqual(image.archive(members(sorted)),
                         image.archive(members(lambda files: sorted(files, reverse=True))))

    def test_another_byte_gives_another_archive(self):
        changed = members(sorted) | {"init": image.program(b"#!/bin/ash\n")}
        self.assertNotEqual(image.archive(members(sorted)), image.archive(changed))

    def test_parent_directories_come_before_their_members(self):
        data = image.archive(members(sorted))
        self.assertLess(data.index(b"bin\0"), data.index(b"bin/busybox\0"))

    def test_everything_is_aligned_to_four_bytes(self):
        for name in ("a", "ab", "abc", "abcd"):
            for size in range(5):
                self.assertEqual(len(image.entry(name, stat.S_IFREG, b"x" * size)) % 4, 0)

    @unittest.skipUnless(shutil.which("cpio"), "no cpio(1)")
    def test_cpio_lists_all_members(self):
        done = subprocess.run(["cpio", "-it", "--quiet"], input=image.archive(members(sorted)),
                              capture_output=True, check=True)
        self.assertEqual(done.stdout.decode().split(),
                         ["bin", "bin/busybox", "bin/sh", "dev", "dev/console", "init"])


class Jobs(unittest.TestCase):
    def test_a_job_is_a_line_of_name_limit_and_command(self):
        self.assertEqual(image.jobs_file([("a/on", 20, "/bin/x --y z"), ("b", 9, "t")]),
                         b"a/on 20 /bin/x --y z\nb 9 t\n")

    def test_too_long_a_list_is_refused(self):
        with self.assertRaises(LabError):
            image.jobs_file([("a", 1, "x" * image.JOBS_SIZE)])

    def test_the_image_has_the_same_size_whatever_the_list(self):
        sizes = set()
        for count in (0, 1, 50):
            text = image.jobs_file([(f"n{i}", 1, "command") for i in range(count)])
            part = image.archive({"jobs": image.program(text), "padding": image.program(
                b"\n" * (image.JOBS_SIZE - len(text)))})
            sizes.add(len(part) // 16)
        self.assertEqual(len(sizes), 1)


if __name__ == "__main__":
    unittest.main()
