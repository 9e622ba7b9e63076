# SPDX-License-Identifier: BSD-2-Clause
"""A second implementation of the policy, written from abi/spec alone.

One module for each page or section of the specification; the rule that a piece of code carries out
stands beside it. Numbers are Python integers, which never wrap by themselves: where a rule says
that a value wraps, the code says so too.
"""
