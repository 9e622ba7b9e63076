/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * params.h - what can be turned: parameters of models (`params:` in a scenario, sim_param() in the
 * code) and fields of libpvsched's config (`config:`), by name.
 */
#ifndef SIM_PARAMS_H
#define SIM_PARAMS_H

#include <stddef.h>
#include <stdint.h>

enum sim_param_unit { SIM_PARAM_TIME, SIM_PARAM_NUMBER, SIM_PARAM_SWITCH };

/* A parameter of a model. The part of its name before the dot is the model's. */
struct sim_param_type {
	const char *name;
	uint8_t unit;          /* enum sim_param_unit */
	uint64_t otherwise, min, max;
	const char *what;      /* what it is, and the source of its default */
};

const struct sim_param_type *sim_param_type_at(size_t index); /* NULL after the last */

/* A field of struct pvs_config that may be set. */
struct sim_config_type {
	const char *name;
	uint32_t offset;
	uint8_t unit;          /* 'n' ns, 'q' share in 1/1024, 'c' count */
};

const struct sim_config_type *sim_config_type_at(size_t index);

#endif /* SIM_PARAMS_H */
