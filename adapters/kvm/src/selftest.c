/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pvs-kvm-selftest: what this machine offers, for people and scripts.
 * Exit: 0 /dev/kvm is good, 77 it is not (the reason is on the last line), 1 usage or failure.
 */
#include <pvs/kvm.h>

#include <stdio.h>

int main(int argc, char **argv)
{
	struct pvs_kvm_quality quality;
	struct pvs_kvm kvm;
	int err;

	(void)argv;
	if (argc != 1) {
		fprintf(stderr, "usage: pvs-kvm-selftest\n");
		return 1;
	}
	err = pvs_kvm_open(&kvm, NULL);
	if (err != PVS_OK) {
		fprintf(stderr, "knobs: probe failed (%d)\n", err);
		return 1;
	}
	printf("knobs: %s\n", kvm.reason);
	pvs_kvm_close(&kvm);
	err = pvs_kvm_probe_kvm(&quality);
	printf("%s\n", quality.reason);
	return err == PVS_OK ? 0 : 77;
}
