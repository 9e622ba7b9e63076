# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
#
# For builds of others that compile the library in (a hypervisor, a VMM, a kernel's tools):
#
#   include(<here>/sources.cmake)
#   add_library(engine OBJECT ${PVSCHED_CORE_SOURCES})
#   target_include_directories(engine PRIVATE ${PVSCHED_CORE_INCLUDE_DIRS})
#
# All paths are absolute. It sets:
#   PVSCHED_CORE_SOURCES   PVSCHED_CORE_INCLUDE_DIRS    the engine
#   PVSCHED_GUEST_SOURCES  PVSCHED_GUEST_INCLUDE_DIRS   the guest shim, portable part
include("${CMAKE_CURRENT_LIST_DIR}/libpvsched/sources.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/guest-shim/sources.cmake" OPTIONAL)

list(TRANSFORM PVS_CORE_FILES PREPEND "${CMAKE_CURRENT_LIST_DIR}/libpvsched/"
	OUTPUT_VARIABLE PVSCHED_CORE_SOURCES)
list(TRANSFORM PVS_GUEST_FILES PREPEND "${CMAKE_CURRENT_LIST_DIR}/guest-shim/"
	OUTPUT_VARIABLE PVSCHED_GUEST_SOURCES)
set(PVSCHED_CORE_INCLUDE_DIRS
	"${CMAKE_CURRENT_LIST_DIR}/abi/include"
	"${CMAKE_CURRENT_LIST_DIR}/libpvsched/include")
set(PVSCHED_GUEST_INCLUDE_DIRS
	"${CMAKE_CURRENT_LIST_DIR}/abi/include"
	"${CMAKE_CURRENT_LIST_DIR}/guest-shim/include")
