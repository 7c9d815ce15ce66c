# LibTorch as the target `libtorch`: any version from 1.13, CPU or CUDA, by
# -DTorch_DIR=; Debian's package otherwise.

find_package(Torch REQUIRED)
add_library(libtorch INTERFACE)
target_link_libraries(libtorch INTERFACE ${TORCH_LIBRARIES})
target_include_directories(libtorch SYSTEM INTERFACE ${TORCH_INCLUDE_DIRS})
separate_arguments(torch_flags UNIX_COMMAND "${TORCH_CXX_FLAGS}")
target_compile_options(libtorch INTERFACE ${torch_flags})
