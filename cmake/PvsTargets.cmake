# SPDX-License-Identifier: BSD-2-Clause
#
# What every CMakeLists.txt of this project uses:
#
#   pvs_add_directories(dir...)      add those that have a CMakeLists.txt
#   pvs_library(name ALIAS pvsched::x SOURCES ... [LINK ...] [INCLUDE ...] [STRICT])
#   pvs_test(name SOURCES ... [LINK ...] [LABELS ...] [ARGS ...] [TIMEOUT s])
#   pvs_warnings, pvs_warnings_strict, pvs_options    interface targets

option(PVS_BUILD_TESTS "Build the tests" ${PROJECT_IS_TOP_LEVEL})
option(PVS_BUILD_TOOLS "Build the tools (pvsim; needs libyaml)" ${PROJECT_IS_TOP_LEVEL})
option(PVS_WERROR "Treat compiler warnings as errors" OFF)
option(PVS_COVERAGE "Instrument for gcov" OFF)
set(PVS_SANITIZE "" CACHE STRING "Sanitizers: address,undefined or thread")

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
	set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Build type" FORCE)
endif()

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

# ---- warnings: for everything; "strict" is for code that other kernels compile too -------------
add_library(pvs_warnings INTERFACE)
target_compile_options(pvs_warnings INTERFACE
	-Wall -Wextra -Wpedantic -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings
	-Wundef -Wpointer-arith
	$<$<BOOL:${PVS_WERROR}>:-Werror>)

add_library(pvs_warnings_strict INTERFACE)
target_link_libraries(pvs_warnings_strict INTERFACE pvs_warnings)
target_compile_options(pvs_warnings_strict INTERFACE
	-Wdeclaration-after-statement -Wvla -Wredundant-decls -Wnested-externs -Wshadow)

# ---- instrumentation ---------------------------------------------------------------------------
add_library(pvs_options INTERFACE)
if(PVS_SANITIZE)
	target_compile_options(pvs_options INTERFACE
		-fsanitize=${PVS_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
	target_link_options(pvs_options INTERFACE -fsanitize=${PVS_SANITIZE})
	# gcc says that it cannot follow a fence; where there is one, no test has two threads.
	if(PVS_SANITIZE STREQUAL "thread" AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
		target_compile_options(pvs_options INTERFACE -Wno-tsan)
	endif()
endif()
if(PVS_COVERAGE)
	target_compile_options(pvs_options INTERFACE --coverage -fprofile-update=atomic)
	target_link_options(pvs_options INTERFACE --coverage)
endif()

# ---- functions -------------------------------------------------------------------------------
function(pvs_add_directories)
	foreach(directory IN LISTS ARGN)
		if(EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/${directory}/CMakeLists.txt")
			add_subdirectory(${directory})
		endif()
	endforeach()
endfunction()

# A static library (an INTERFACE one without SOURCES), with its public include directories, that is
# installed and exported under its alias. STRICT: the code is also compiled by other kernels.
function(pvs_library name)
	cmake_parse_arguments(PARSE_ARGV 1 arg "STRICT" "ALIAS" "SOURCES;LINK;INCLUDE")
	if(arg_UNPARSED_ARGUMENTS OR NOT arg_ALIAS)
		message(FATAL_ERROR
			"pvs_library(${name}): ALIAS missing or '${arg_UNPARSED_ARGUMENTS}'")
	endif()

	set(warnings pvs_warnings)
	if(arg_STRICT)
		set(warnings pvs_warnings_strict)
	endif()

	set(scope INTERFACE)
	if(arg_SOURCES)
		set(scope PUBLIC)
		add_library(${name} STATIC ${arg_SOURCES})
		target_link_libraries(${name} PRIVATE
			$<BUILD_INTERFACE:${warnings}>
			$<BUILD_INTERFACE:pvs_options>)
	else()
		add_library(${name} INTERFACE)
	endif()
	add_library(${arg_ALIAS} ALIAS ${name})
	target_link_libraries(${name} ${scope} ${arg_LINK})

	foreach(directory IN LISTS arg_INCLUDE)
		get_filename_component(directory "${directory}" ABSOLUTE)
		target_include_directories(${name} ${scope} "$<BUILD_INTERFACE:${directory}>")
		set_property(GLOBAL APPEND PROPERTY PVS_PUBLIC_INCLUDES "${directory}")
	endforeach()
	target_include_directories(${name} ${scope}
		"$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")

	string(REPLACE "pvsched::" "" export_name ${arg_ALIAS})
	set_target_properties(${name} PROPERTIES EXPORT_NAME ${export_name})
	set_property(GLOBAL APPEND PROPERTY PVS_EXPORTED ${name})
endfunction()

# A CMocka executable under ctest. Exit 77 and one line "skipped: <reason>" is a skip. Labels say
# who wants it: quick unit abi house adapters bpf lab long.
function(pvs_test name)
	cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "SOURCES;LINK;LABELS;ARGS")
	if(arg_UNPARSED_ARGUMENTS OR NOT arg_SOURCES)
		message(FATAL_ERROR
			"pvs_test(${name}): SOURCES missing or '${arg_UNPARSED_ARGUMENTS}'")
	endif()
	if(NOT TARGET PkgConfig::PVS_CMOCKA)
		find_package(PkgConfig REQUIRED)
		pkg_check_modules(PVS_CMOCKA REQUIRED IMPORTED_TARGET GLOBAL cmocka)
	endif()

	add_executable(${name} ${arg_SOURCES})
	target_link_libraries(${name} PRIVATE
		${arg_LINK} pvs_warnings pvs_options PkgConfig::PVS_CMOCKA)
	add_test(NAME ${name} COMMAND ${name} ${arg_ARGS})
	pvs_test_properties(${name} LABELS ${arg_LABELS} TIMEOUT ${arg_TIMEOUT})
endfunction()

# The properties all tests share; for tests made by add_test().
function(pvs_test_properties name)
	cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "LABELS")
	if(NOT arg_LABELS)
		set(arg_LABELS unit quick)
	endif()
	if(NOT arg_TIMEOUT)
		set(arg_TIMEOUT 120)
	endif()
	set_tests_properties(${name} PROPERTIES
		LABELS "${arg_LABELS}" TIMEOUT ${arg_TIMEOUT} SKIP_RETURN_CODE 77)
endfunction()
