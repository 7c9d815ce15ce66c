# Compiler settings of our own code; third-party code never sees them.

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
# An installed program finds a LibTorch that lies outside the system's folders.
set(CMAKE_INSTALL_RPATH_USE_LINK_PATH ON)
set_property(GLOBAL PROPERTY GLOBAL_DEPENDS_NO_CYCLES ON)

# ccache finds a file again in another clone (base directory) and behind
# another precompiled header of the same content (sloppiness).
find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER
      env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      ${CCACHE_PROGRAM})
endif()

add_library(nerfpipe_settings INTERFACE)
target_include_directories(nerfpipe_settings INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_definitions(nerfpipe_settings
                           INTERFACE NERFPIPE_VERSION="${PROJECT_VERSION}")
if(CCACHE_PROGRAM AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  # Without it ccache cannot see through GCC's precompiled headers.
  target_compile_options(nerfpipe_settings INTERFACE -fpch-preprocess)
endif()

add_library(nerfpipe_warnings INTERFACE)
target_compile_options(nerfpipe_warnings INTERFACE -Wall -Wextra -Wshadow
                                                   -Wnon-virtual-dtor)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # False alarms on std::string's operator+ (GCC bug 105651).
  target_compile_options(nerfpipe_warnings INTERFACE -Wno-restrict)
endif()
if(NERFPIPE_WERROR)
  target_compile_options(nerfpipe_warnings INTERFACE -Werror)
endif()

if(NERFPIPE_SANITIZE)
  target_compile_options(
    nerfpipe_settings INTERFACE -fsanitize=${NERFPIPE_SANITIZE}
                                -fno-omit-frame-pointer -fno-sanitize-recover)
  target_link_options(nerfpipe_settings INTERFACE
                      -fsanitize=${NERFPIPE_SANITIZE})
  # Eigen would lay out its memory in another way than in COLMAP's library.
  target_compile_definitions(nerfpipe_settings
                             INTERFACE EIGEN_MALLOC_ALREADY_ALIGNED=1)
endif()

if(NERFPIPE_COVERAGE)
  target_compile_options(nerfpipe_settings
                         INTERFACE --coverage -fprofile-update=atomic)
  target_link_options(nerfpipe_settings INTERFACE --coverage)
endif()
