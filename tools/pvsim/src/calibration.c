// SPDX-License-Identifier: BSD-2-Clause
/*
 * calibration.c - how far the fair-host model is from real threads: measured by
 * tests/sim/calibration on a Linux 7.3 in the lab, and held against this number by
 * scripts/sim/calibrate.py.
 */
#include "report.h"

#define GAP_PPM 117051

uint32_t sim_calibration_gap_ppm(void)
{
	return GAP_PPM;
}
