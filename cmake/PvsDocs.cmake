# SPDX-License-Identifier: BSD-2-Clause
#
# Target `docs`: the reference, from the public headers and docs/*.md, to build/docs/html. Whatever
# the preset, it lies in one place; a warning is an error.
find_package(Doxygen 1.9 QUIET OPTIONAL_COMPONENTS dot)
find_program(PVS_PYTHON python3)
if(NOT DOXYGEN_FOUND OR NOT PVS_PYTHON)
	add_custom_target(docs
		COMMAND ${CMAKE_COMMAND} -E echo "skipped: doxygen or python3 is missing"
		COMMAND ${CMAKE_COMMAND} -E false)
	return()
endif()

get_property(includes GLOBAL PROPERTY PVS_PUBLIC_INCLUDES)
set(DOXYGEN_OUTPUT_DIRECTORY "${PROJECT_SOURCE_DIR}/build/docs")
set(DOXYGEN_PROJECT_BRIEF "${PROJECT_DESCRIPTION}")
set(DOXYGEN_WARN_AS_ERROR FAIL_ON_WARNINGS)
set(DOXYGEN_OPTIMIZE_OUTPUT_FOR_C YES)
set(DOXYGEN_QUIET YES)
set(DOXYGEN_EXTRACT_ALL YES)
set(filter "${PVS_PYTHON} ${PROJECT_SOURCE_DIR}/docs/doxygen")
set(DOXYGEN_FILTER_PATTERNS "\"*.md=${filter}/markdown.py\"" "\"*.h=${filter}/headers.py\"")
set(DOXYGEN_FILE_PATTERNS "*.h" "*.md")
set(DOXYGEN_HTML_EXTRA_STYLESHEET "${PROJECT_SOURCE_DIR}/docs/doxygen/style.css")
set(DOXYGEN_JAVADOC_AUTOBRIEF YES)
set(DOXYGEN_DISABLE_INDEX YES)
set(DOXYGEN_FULL_SIDEBAR YES)
set(DOXYGEN_TREEVIEW_WIDTH 300)
set(DOXYGEN_DOT_IMAGE_FORMAT svg)
set(DOXYGEN_STRIP_FROM_PATH "${PROJECT_SOURCE_DIR}")
set(DOXYGEN_GENERATE_TREEVIEW YES)
set(DOXYGEN_GENERATE_LATEX NO)
set(DOXYGEN_HTML_TIMESTAMP NO)
# Drawings on request only: state diagrams, not who includes whom.
foreach(graph CLASS COLLABORATION GROUP INCLUDE INCLUDED_BY DIRECTORY)
	set(DOXYGEN_${graph}_GRAPH NO)
endforeach()
set(DOXYGEN_GROUP_GRAPHS NO)
set(DOXYGEN_TOC_INCLUDE_HEADINGS 2)
set(DOXYGEN_ENABLE_PREPROCESSING YES)
set(DOXYGEN_MACRO_EXPANSION YES)
set(DOXYGEN_EXPAND_ONLY_PREDEF YES)
set(DOXYGEN_PREDEFINED
	"PVS_API=" "PVS_STAGE=" "PVS_INLINE=static inline" "__GNUC__=12" "__extension__=")

doxygen_add_docs(docs
	${includes}
	"${PROJECT_SOURCE_DIR}/README.md"
	"${PROJECT_SOURCE_DIR}/CHANGELOG.md"
	"${PROJECT_SOURCE_DIR}/docs"
	"${PROJECT_SOURCE_DIR}/abi/spec"
	WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
	COMMENT "Reference in build/docs/html")
