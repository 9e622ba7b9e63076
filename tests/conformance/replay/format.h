/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * format.h - a result becomes a line.
 */
#ifndef PVS_REPLAY_FORMAT_H
#define PVS_REPLAY_FORMAT_H

#include "tables.h"
#include "text.h"

/* "class=task rank=7 ...", or "ok" when the op has no result fields. */
void replay_format(const struct replay_field *out, const struct replay_result *result,
		   struct replay_text *line);

#endif /* PVS_REPLAY_FORMAT_H */
