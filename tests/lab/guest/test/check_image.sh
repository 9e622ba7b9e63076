#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# check_image.sh ELF IMAGE: what the VMM relies on. Interrupts save no vector registers, the image
# is entered at its first byte, and it does not reach the stacks.
set -euo pipefail
elf=$1
image=$2

fail()
{
	echo "check_image: $*" >&2
	exit 1
}

if objdump -d "$elf" | grep -qE '%([xyz]mm|st\()'; then
	fail "uses floating point or vector registers"
fi
# cld; call ...: the first instructions of start.S
[ "$(od -An -tx1 -N2 "$image" | tr -d ' ')" = fce8 ] || fail "does not begin with _start"
end=$(nm "$elf" | sort | awk '{ last = $1 } END { print last }')
[ $((16#$end)) -lt $((0x180000)) ] || fail "reaches 0x$end"
undefined=$(nm -u "$elf")
[ -z "$undefined" ] || fail "undefined: $undefined"
