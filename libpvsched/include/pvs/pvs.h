/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * pvs/pvs.h - libpvsched, in the order in which data flows:
 *
 *   guest event -> pvs_guest_publish (guest shim) -> region word
 *     -> pvs_snapshot -> pvs_validate -> pvs_decide -> adapter apply -> status words
 *
 * Read the headers in this order; then read pvs_step() in src/step.c, which is all of it at once.
 */
#ifndef PVS_PVS_H
#define PVS_PVS_H

#include <pvs/abi.h>      /* the words that guest and host share */
#include <pvs/port.h>     /* what differs between the places the core runs in */
#include <pvs/status.h>   /* return values */
#include <pvs/config.h>   /* every number of the policy */
#include <pvs/snapshot.h> /* stage 1: read once */
#include <pvs/validate.h> /* stage 2: believe the form, not the content */
#include <pvs/state.h>    /* what is remembered between two checkpoints */
#include <pvs/decide.h>   /* stage 3: account, boost, decide */
#include <pvs/counters.h> /* beside it: what was counted, and sums of it */
#include <pvs/yield.h>    /* beside it: whom a spinning vCPU yields to */
#include <pvs/perf.h>     /* beside it: how fast a CPU should run, and which one fits */
#include <pvs/queue.h>    /* beside it: in which order, for hosts that own their run queue */

#define PVS_VERSION_MAJOR 0
#define PVS_VERSION_MINOR 1
#define PVS_VERSION_PATCH 0
#define PVS_VERSION_STRING "0.1.0"

/* The library's version as compiled, "major.minor.patch". Static string. Context: any. O(1). */
PVS_API const char *pvs_version(void);

#endif /* PVS_PVS_H */
