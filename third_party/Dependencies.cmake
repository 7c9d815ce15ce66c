# Every dependency is found here and nowhere else. Debian 12 names and versions
# are in third_party/packages.txt; licences in third_party/LICENSES.md.

find_package(Threads REQUIRED)
find_package(OpenMP REQUIRED COMPONENTS CXX)
include(${PROJECT_SOURCE_DIR}/third_party/LibTorch.cmake)
# Without it `ngp` trains by LibTorch alone.
find_package(hwy 1.0 CONFIG QUIET)
if(NERFPIPE_TESTS)
  find_package(GTest REQUIRED)
  find_package(benchmark QUIET)
endif()

if(NERFPIPE_NERF_ONLY)
  return()
endif()

find_package(Eigen3 3.4 REQUIRED NO_MODULE)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(JPEG REQUIRED)
find_package(ZLIB REQUIRED)
find_package(OpenCV 4.5 REQUIRED COMPONENTS calib3d core features2d
                                       imgproc imgcodecs video)

find_package(PkgConfig REQUIRED)
pkg_check_modules(FFMPEG REQUIRED IMPORTED_TARGET libavformat libavcodec
                  libavfilter libavutil libswscale)
pkg_check_modules(HEIF REQUIRED IMPORTED_TARGET libheif)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)

if(NERFPIPE_WITHOUT_COLMAP)
  return()
endif()

# COLMAP as a library: an installed one, or the one that
# third_party/colmap/build.sh put into the per-user cache.
execute_process(
  COMMAND ${PROJECT_SOURCE_DIR}/third_party/colmap/build.sh --print-prefix
  OUTPUT_VARIABLE NERFPIPE_COLMAP_PREFIX
  OUTPUT_STRIP_TRAILING_WHITESPACE)
enable_language(C) # for OpenMP::OpenMP_C, which COLMAP's targets name
find_package(OpenMP REQUIRED COMPONENTS C)
# Its configuration file replaces the module path and adds definitions for all
# targets, and puts neither back.
set(nerfpipe_module_path ${CMAKE_MODULE_PATH})
get_directory_property(nerfpipe_definitions COMPILE_DEFINITIONS)
find_package(COLMAP 3.10 QUIET CONFIG HINTS ${NERFPIPE_COLMAP_PREFIX})
set(CMAKE_MODULE_PATH ${nerfpipe_module_path})
set_directory_properties(PROPERTIES COMPILE_DEFINITIONS
                                    "${nerfpipe_definitions}")
if(NOT COLMAP_FOUND)
  message(FATAL_ERROR "COLMAP 3.10 was not found as a library. Build it once "
                      "with third_party/colmap/build.sh, or point COLMAP_DIR "
                      "at an installed one.")
endif()

# The sparse solver under Ceres, which the adjustment calls through Eigen too.
find_path(NERFPIPE_CHOLMOD_HEADERS cholmod.h PATH_SUFFIXES suitesparse REQUIRED)
find_library(NERFPIPE_CHOLMOD cholmod REQUIRED)
add_library(cholmod INTERFACE)
target_include_directories(cholmod SYSTEM INTERFACE ${NERFPIPE_CHOLMOD_HEADERS})
target_link_libraries(cholmod INTERFACE ${NERFPIPE_CHOLMOD})
