# SPDX-License-Identifier: BSD-2-Clause
"""layout.md: the header page."""

from .wire import ABI_MAJOR, ABI_MINOR, HEADER_SIZE, KICK_HYPERCALL, REGION_MAGIC, SLOT_SIZE

# Fields: offset, bytes.
MAGIC, MAJOR, MINOR = (0, 8), (8, 2), (10, 2)
HEADER_BYTES, SLOT_BYTES, SLOT_STRIDE, SLOT_COUNT = (12, 4), (16, 4), (20, 4), (24, 4)
GENERATION, FEATURES_OFFERED, STATUS, REASON = (28, 4), (32, 8), (40, 4), (44, 4)
KICK_KIND, KICK_ADDR = (76, 4), (80, 8)
GUEST_LINE = (128, 64)
GUEST_MAJOR, GUEST_MINOR, ECHO = (128, 2), (130, 2), (132, 4)
FEATURES_ACCEPTED, COMMAND = (136, 8), (144, 4)
_HYPERCALL = 1


class Header:
    """4096 bytes."""

    __slots__ = ("bytes",)

    def __init__(self):
        self.bytes = bytearray(HEADER_SIZE)

    def get(self, field):
        """The value of a field."""
        at, size = field
        return int.from_bytes(self.bytes[at:at + size], "little")

    def put(self, field, value):
        """Stores a field, without the bits that do not fit."""
        at, size = field
        self.bytes[at:at + size] = (value & (1 << 8 * size) - 1).to_bytes(size, "little")

    def clear(self, field):
        """Makes a field zeros."""
        self.put(field, 0)

    def offer(self, vm):
        """V-4.2: the host's words for this VM."""
        self.put(MAGIC, REGION_MAGIC)
        self.put(MAJOR, ABI_MAJOR)
        self.put(MINOR, ABI_MINOR)
        self.put(HEADER_BYTES, HEADER_SIZE)
        self.put(SLOT_BYTES, SLOT_SIZE)
        self.put(SLOT_STRIDE, SLOT_SIZE)
        self.put(SLOT_COUNT, vm.slot_count)
        self.put(GENERATION, vm.generation)
        self.put(FEATURES_OFFERED, vm.offered)
        self.put(KICK_KIND, KICK_HYPERCALL)
        self.put(KICK_ADDR, _HYPERCALL)
        self.answer(vm)

    def answer(self, vm):
        """V-4.2: status and reason."""
        self.put(STATUS, vm.status)
        self.put(REASON, vm.status_reason)
