# SPDX-License-Identifier: BSD-2-Clause
"""The machine room: real kernels and real guests, in a process, in virtual time."""
