/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The whole core as one translation unit: a decision is one function then, without calls from stage
 * to stage. The library can be built so (PVS_UNITY); BPF and other hosts include it
 * instead of linking it, and what they do not call is not compiled in.
 */
#if !defined(PVS_API) && !defined(PVS_UNITY_EXPORTED)
#define PVS_API static __attribute__((unused))
#endif
#define PVS_STAGE static __attribute__((unused))
#include "fields.c"
#include "config.c"
#include "snapshot.c"
#include "validate.c"
#include "account.c"
#include "irq.c"
#include "event.c"
#include "boost.c"
#include "cap.c"
#include "limit.c"
#include "preempt.c"
#include "decide.c"
#include "step.c"
#include "yield.c"
#include "transfer.c"
#include "perf.c"
#include "queue.c"
#include "vm.c"
#include "saved.c"
#include "counters.c"
#include "version.c"
