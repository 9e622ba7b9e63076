/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * pvs/status.h - return values of library functions. 0 is success; errors are negative, numbered
 * once and never reused, in three blocks: the caller's mistakes, what a peer (guest or host,
 * untrusted) sent, and what the machine underneath refused.
 */
#ifndef PVS_STATUS_H
#define PVS_STATUS_H

#define PVS_OK 0

/* The caller's mistakes: fix the program. */
#define PVS_E_INVALID   (-1)  /* an argument is NULL, unknown or out of the domain */
#define PVS_E_RANGE     (-2)  /* a number is outside of its range; the field is named */
#define PVS_E_STATE     (-3)  /* not now: wrong order of calls */
#define PVS_E_NO_SPACE  (-4)  /* a fixed table is full */

/* What the peer sent: expected, counted, never fatal. */
#define PVS_E_MAGIC      (-100) /* this memory is not a pvs region */
#define PVS_E_VERSION    (-101) /* no version in common */
#define PVS_E_LAYOUT     (-102) /* a size, stride or count is impossible */
#define PVS_E_REFUSED    (-103) /* the host refused the choice: status_reason says why */
#define PVS_E_NOT_READY  (-104) /* the host has not answered yet */
#define PVS_E_GENERATION (-105) /* renegotiate */
#define PVS_E_SAVED      (-106) /* a saved state has an unknown version or impossible values */

/* What the machine refused. */
#define PVS_E_HOST       (-200) /* a system call failed; errno tells */
#define PVS_E_PERM       (-201) /* not permitted, or the way back would not be */
#define PVS_E_FOREIGN    (-202) /* somebody else changed this thread: hands off */
#define PVS_E_GONE       (-203) /* the thread or process has ended */
#define PVS_E_NO_SUPPORT (-204) /* this kernel or machine does not have it */

#endif /* PVS_STATUS_H */
