# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# The engine's sources, relative to this directory, in the order the data flows.
set(PVS_CORE_FILES
	src/snapshot.c
	src/validate.c
	src/fields.c
	src/config.c
	src/account.c
	src/irq.c
	src/event.c
	src/boost.c
	src/cap.c
	src/limit.c
	src/preempt.c
	src/decide.c
	src/step.c
	src/yield.c
	src/transfer.c
	src/perf.c
	src/queue.c
	src/counters.c
	src/saved.c
	src/vm.c
	src/version.c)
