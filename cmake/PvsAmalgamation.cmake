# SPDX-License-Identifier: BSD-2-Clause
#
# Target `amalgamation`: the engine as pvs.c and pvs.h, in amalgamation/ of the build directory. It
# is made with everything else, and installed beside the sources.
find_program(PVS_PYTHON python3)
if(NOT PVS_PYTHON)
	message(STATUS "no python3: no amalgamation")
	return()
endif()

set(PVS_AMALGAMATION_DIR "${PROJECT_BINARY_DIR}/amalgamation")
set(amalgamate "${PROJECT_SOURCE_DIR}/scripts/amalgamate.py")
file(GLOB inputs CONFIGURE_DEPENDS
	"${PROJECT_SOURCE_DIR}/abi/include/pvs/*.h"
	"${PROJECT_SOURCE_DIR}/libpvsched/include/pvs/*.h"
	"${PROJECT_SOURCE_DIR}/libpvsched/src/*.[ch]"
	"${PROJECT_SOURCE_DIR}/libpvsched/sources.cmake")
add_custom_command(
	OUTPUT "${PVS_AMALGAMATION_DIR}/stamp"
	BYPRODUCTS "${PVS_AMALGAMATION_DIR}/pvs.c" "${PVS_AMALGAMATION_DIR}/pvs.h"
	COMMAND ${PVS_PYTHON} "${amalgamate}" --root "${PROJECT_SOURCE_DIR}"
		"${PVS_AMALGAMATION_DIR}"
	COMMAND ${CMAKE_COMMAND} -E touch "${PVS_AMALGAMATION_DIR}/stamp"
	DEPENDS ${inputs} "${amalgamate}"
	VERBATIM)
add_custom_target(amalgamation ALL DEPENDS "${PVS_AMALGAMATION_DIR}/stamp")
