# SPDX-License-Identifier: BSD-2-Clause
"""Widths and the small functions of policy.md section 1."""

U8 = (1 << 8) - 1
U16 = (1 << 16) - 1
U32 = (1 << 32) - 1
U64 = (1 << 64) - 1
NEVER = U64


def less(a, b):
    """P-1.4: a - b, not below 0."""
    return a - b if a > b else 0


def clamp(x, low, high):
    """P-1.4."""
    if x < low:
        return low
    return high if x > high else x


def signed64(value):
    """The two's complement of 64 bits."""
    return value - (1 << 64) if value >> 63 else value


FNV_BASIS = 0xCBF29CE484222325
FNV_PRIME = 0x100000001B3


def fnv1a(digest, data):
    """V-2.3: FNV-1a of 64 bits, carried on over more bytes."""
    for byte in data:
        digest = (digest ^ byte) * FNV_PRIME & U64
    return digest
