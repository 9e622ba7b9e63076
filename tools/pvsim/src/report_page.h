/* SPDX-License-Identifier: BSD-2-Clause */
/* report_page.h - the template of the page, made a string by tools/pvsim/report/embed.cmake. */
#ifndef SIM_REPORT_PAGE_H
#define SIM_REPORT_PAGE_H

#define SIM_REPORT_TITLE "@PVSIM_TITLE@"
#define SIM_REPORT_DATA "@PVSIM_DATA@"

extern const unsigned char sim_report_page[];

#endif /* SIM_REPORT_PAGE_H */
