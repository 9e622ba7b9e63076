# SPDX-License-Identifier: BSD-2-Clause
#
# What is installed: headers, libraries, a CMake package, a pkg-config file, and the sources for
# hosts that compile the engine into something else (share/libpvsched/sources.cmake, or the whole
# engine as two files in share/libpvsched/amalgamation).
include(CMakePackageConfigHelpers)

get_property(exported GLOBAL PROPERTY PVS_EXPORTED)
get_property(includes GLOBAL PROPERTY PVS_PUBLIC_INCLUDES)
set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/pvsched")
set(sources_dir "${CMAKE_INSTALL_DATADIR}/libpvsched")

install(TARGETS ${exported} EXPORT pvsched-targets
	ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
	LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
list(REMOVE_DUPLICATES includes)
foreach(directory IN LISTS includes)
	install(DIRECTORY "${directory}/" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
		FILES_MATCHING PATTERN "*.h")
endforeach()

# ---- CMake package ---------------------------------------------------------------------------
install(EXPORT pvsched-targets NAMESPACE pvsched:: FILE pvsched-targets.cmake
	DESTINATION "${package_dir}")
configure_package_config_file(cmake/pvsched-config.cmake.in pvsched-config.cmake
	INSTALL_DESTINATION "${package_dir}")
# Draft: 0.1 and 0.2 have nothing in common.
write_basic_package_version_file(pvsched-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES
	"${CMAKE_CURRENT_BINARY_DIR}/pvsched-config.cmake"
	"${CMAKE_CURRENT_BINARY_DIR}/pvsched-config-version.cmake"
	DESTINATION "${package_dir}")

# ---- pkg-config ------------------------------------------------------------------------------
# Relative to where the file lies, so that an installed tree can be moved.
file(RELATIVE_PATH pc_prefix
	"/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/prefix")
configure_file(cmake/libpvsched.pc.in libpvsched.pc @ONLY)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/libpvsched.pc"
	DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")

# ---- sources, in the layout of this tree -----------------------------------------------------
install(FILES sources.cmake DESTINATION "${sources_dir}")
foreach(part abi libpvsched guest-shim)
	install(DIRECTORY ${part} DESTINATION "${sources_dir}"
		FILES_MATCHING
		PATTERN "include/pvs/*.h"
		PATTERN "src/*.c"
		PATTERN "src/*.h"
		PATTERN "sources.cmake"
		PATTERN golden EXCLUDE
		PATTERN spec EXCLUDE
		PATTERN os EXCLUDE)
endforeach()
install(DIRECTORY LICENSES DESTINATION "${sources_dir}")
if(TARGET amalgamation)
	install(FILES "${PVS_AMALGAMATION_DIR}/pvs.c" "${PVS_AMALGAMATION_DIR}/pvs.h"
		DESTINATION "${sources_dir}/amalgamation")
endif()
