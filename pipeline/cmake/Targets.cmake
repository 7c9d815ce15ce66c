# The three kinds of target: a library per folder, a program, a test.

if(NERFPIPE_TESTS)
  include(GoogleTest)
endif()

# nerfpipe_library(NAME SOURCES ... [PUBLIC ...] [PRIVATE ...])
function(nerfpipe_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(${name} STATIC ${arg_SOURCES})
  target_link_libraries(${name} PUBLIC nerfpipe_settings ${arg_PUBLIC}
                                PRIVATE nerfpipe_warnings ${arg_PRIVATE})
endfunction()

# nerfpipe_vector_library(NAME SOURCES ...): loops by Highway and OpenMP, which
# choose the instructions that the processor has when they run.
function(nerfpipe_vector_library name)
  nerfpipe_library(${name} ${ARGN} PUBLIC OpenMP::OpenMP_CXX PRIVATE hwy::hwy)
  target_compile_options(${name} PRIVATE -O3)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    # The lowest level that is compiled.
    target_compile_options(${name} PRIVATE -msse4.2 -maes -mpclmul)
  endif()
  # Vectors without a fixed size cannot be held in arrays.
  set(disabled "HWY_SVE|HWY_SVE2|HWY_SVE_256|HWY_SVE2_128")
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION
                                                VERSION_LESS 15)
    # It crashes on masks of AVX-512.
    string(APPEND disabled "|HWY_AVX3|HWY_AVX3_DL")
  endif()
  target_compile_definitions(${name}
                             PRIVATE "HWY_DISABLED_TARGETS=(${disabled})")
endfunction()

# nerfpipe_program(NAME SOURCES ... [PRIVATE ...] [PRECOMPILED LIBRARY]): takes
# the precompiled header of a library, where one is named.
function(nerfpipe_program name)
  cmake_parse_arguments(arg "" "PRECOMPILED" "SOURCES;PRIVATE" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE nerfpipe_settings nerfpipe_warnings
                                        ${arg_PRIVATE})
  if(arg_PRECOMPILED)
    # It holds for position-independent code of one kind, a library's.
    target_compile_options(${name} PRIVATE -fPIC)
    target_precompile_headers(${name} REUSE_FROM ${arg_PRECOMPILED})
  endif()
endfunction()

# nerfpipe_test(NAME SOURCES ... [PRIVATE ...] [PRECOMPILED LIBRARY]
# [SLOW REGEX] [TIMEOUT SECONDS]): one GoogleTest program, and one ctest entry for
# each of its cases, called FOLDER/Suite.Case.
#
# Labels: `captures` of the cases whose name begins with Real, which need the
# captures that NERFPIPE_TEST_DATA names; `slow` of those whose full name matches
# SLOW; `fast` of all others, which together take less than a minute and are for
# the inner loop. TIMEOUT is for those that are not fast.
function(nerfpipe_test name)
  cmake_parse_arguments(arg "" "PRECOMPILED;SLOW;TIMEOUT" "SOURCES;PRIVATE"
                        ${ARGN})
  nerfpipe_program(
    ${name}
    SOURCES ${arg_SOURCES}
    PRIVATE ${arg_PRIVATE} test_main
    PRECOMPILED ${arg_PRECOMPILED})
  add_dependencies(${name} run_case)
  if(NOT arg_SLOW)
    set(arg_SLOW "^$")
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  file(RELATIVE_PATH folder ${PROJECT_SOURCE_DIR}/tests
       ${CMAKE_CURRENT_SOURCE_DIR})
  # Each case in a process of its own, without loading LibTorch for each.
  set_target_properties(${name} PROPERTIES CROSSCOMPILING_EMULATOR
                                           $<TARGET_FILE:run_case>)
  gtest_discover_tests(${name} TEST_PREFIX ${folder}/ TEST_LIST ${name}_cases
                       DISCOVERY_TIMEOUT 120)
  # Read by ctest after the list of cases.
  set(labels ${CMAKE_CURRENT_BINARY_DIR}/${name}_labels.cmake)
  configure_file(${PROJECT_SOURCE_DIR}/pipeline/cmake/TestLabels.cmake.in
                 ${labels} @ONLY)
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${labels})
endfunction()

# nerfpipe_script_test(NAME LABEL TIMEOUT COMMAND...): one ctest entry that runs
# a script.
function(nerfpipe_script_test name label timeout)
  file(RELATIVE_PATH folder ${PROJECT_SOURCE_DIR}/tests
       ${CMAKE_CURRENT_SOURCE_DIR})
  if(folder)
    set(name ${folder}/${name})
  endif()
  add_test(NAME ${name} COMMAND ${ARGN} COMMAND_EXPAND_LISTS)
  set_tests_properties(${name} PROPERTIES LABELS ${label} TIMEOUT ${timeout}
                                          COST ${timeout} SKIP_RETURN_CODE 77)
endfunction()
