# The three kinds of target: a library per folder, a program, a test.

# nerfpipe_library(NAME SOURCES ... [PUBLIC ...] [PRIVATE ...])
function(nerfpipe_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(${name} STATIC ${arg_SOURCES})
  target_link_libraries(${name} PUBLIC nerfpipe_settings ${arg_PUBLIC}
                                PRIVATE nerfpipe_warnings ${arg_PRIVATE})
endfunction()

# nerfpipe_program(NAME SOURCES ... [PRIVATE ...])
function(nerfpipe_program name)
  cmake_parse_arguments(arg "" "" "SOURCES;PRIVATE" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE nerfpipe_settings nerfpipe_warnings
                                        ${arg_PRIVATE})
endfunction()

# nerfpipe_test(NAME SOURCES ... [PRIVATE ...]): one GoogleTest program, one
# ctest entry named NAME.
function(nerfpipe_test name)
  cmake_parse_arguments(arg "" "" "SOURCES;PRIVATE" ${ARGN})
  nerfpipe_program(${name} SOURCES ${arg_SOURCES} PRIVATE ${arg_PRIVATE}
                   GTest::gmock GTest::gtest GTest::gtest_main)
  add_test(NAME ${name} COMMAND ${name})
endfunction()
