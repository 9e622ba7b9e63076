/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Configurations are structs of pvs_u32; a table has one row for each of their fields, in the order
 * of declaration.
 */
#include "stage.h"

/* Zero stands for the preset. */
PVS_STAGE void pvs_fields_resolve(pvs_u32 *values, const struct pvs_field *rows, pvs_u32 count)
{
	pvs_u32 i;

	PVS_FOR(i, count) {
		if (!values[i])
			values[i] = rows[i].preset;
	}
}

/* PVS_OK, or what is wrong with this value in *err, which may be NULL. */
PVS_STAGE int pvs_field_check(const struct pvs_field *row, pvs_u32 value,
			      struct pvs_config_error *err)
{
	if (value >= row->min && value <= row->max)
		return PVS_OK;
	if (err) {
		err->field = row->name;
		err->value = value;
		err->min = row->min;
		err->max = row->max;
	}
	return PVS_E_RANGE;
}

/* The same for the first of all that is out of range. */
PVS_STAGE int pvs_fields_check(const pvs_u32 *values, const struct pvs_field *rows, pvs_u32 count,
			       struct pvs_config_error *err)
{
	pvs_u32 i;

	PVS_FOR(i, count) {
		if (pvs_field_check(&rows[i], values[i], err) != PVS_OK)
			return PVS_E_RANGE;
	}
	return PVS_OK;
}
