/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include <pvs/pvs.h>

PVS_API const char *pvs_version(void)
{
	return PVS_VERSION_STRING;
}
