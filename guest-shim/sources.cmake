# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# The portable shim's sources, relative to this directory.
set(PVS_GUEST_FILES
	src/bind.c
	src/irq.c
	src/publish.c
	src/vcpu.c
	src/wait.c)
