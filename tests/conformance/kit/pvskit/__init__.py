# SPDX-License-Identifier: BSD-2-Clause
"""The conformance kit: checks an implementation of the pvs region, clause by clause."""
