/* SPDX-License-Identifier: BSD-2-Clause */
/* rtapp.h - tasks of a guest from a workload of rt-app. */
#ifndef SIM_RTAPP_H
#define SIM_RTAPP_H

#include "guest.h"

/*
 * Reads the file of rt-app (JSON with comments, trailing commas and keys that come twice) and puts
 * its tasks behind those that the VM has; vm->tasks is from malloc(). A VM that has no vCPUs yet
 * gets as many as `cpus` names. 0, or -1 and "file:line: what, expected ...", and *vm is as it was.
 */
int sim_rtapp_read(const char *path, struct sim_vm_spec *vm, char *error, size_t size);
/* The same of a text in memory. */
int sim_rtapp_parse(const char *name, const char *text, size_t length, struct sim_vm_spec *vm,
		    char *error, size_t size);

#endif /* SIM_RTAPP_H */
