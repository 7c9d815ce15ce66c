# `cmake --install` puts the program and the licences into the usual places under
# the prefix.

if(TARGET nerfpipe)
  install(TARGETS nerfpipe RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  install(TARGETS nerf_module
          LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/nerfpipe)
  install(FILES ${PROJECT_SOURCE_DIR}/LICENSE
                ${PROJECT_SOURCE_DIR}/third_party/LICENSES.md
          DESTINATION ${CMAKE_INSTALL_DOCDIR})
endif()
