# What every library and tool of the project shares: warnings, and one precompiled
# header of the MLIR interfaces that nearly every file includes (it cuts the time
# to compile a pass from about 6 s to about 3 s).

add_library(dyadic_options INTERFACE)
target_compile_options(dyadic_options INTERFACE -Wall -Wextra -Wno-unused-parameter -Werror=return-type -fvisibility-inlines-hidden)
# One rounding everywhere: a*b+c on the host must not become a fused multiply-add.
target_compile_options(dyadic_options INTERFACE -ffp-contract=off)

# dyadic_library(NAME [EXCEPTIONS] SOURCES... [DEPENDS targets] [LINK libraries])
function(dyadic_library name)
  cmake_parse_arguments(ARG "EXCEPTIONS;NO_PCH" "" "DEPENDS;LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_link_libraries(${name} PRIVATE dyadic_options PUBLIC ${ARG_LINK})
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
  if(ARG_EXCEPTIONS)
    target_compile_options(${name} PRIVATE -fexceptions)
  elseif(NOT ARG_NO_PCH)
    dyadic_precompile(${name})
  endif()
endfunction()

function(dyadic_precompile name)
  if(NOT TARGET dyadic_pch)
    file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/pch.cpp CONTENT "") # written once, not each time
    add_library(dyadic_pch OBJECT ${PROJECT_BINARY_DIR}/pch.cpp)
    set_target_properties(dyadic_pch PROPERTIES POSITION_INDEPENDENT_CODE ON)
    target_link_libraries(dyadic_pch PRIVATE dyadic_options)
    # Without times in it the header is the same for every checkout, which is how ccache knows what is compiled with it.
    target_compile_options(dyadic_pch PRIVATE -fpch-instantiate-templates "SHELL:-Xclang -fno-pch-timestamp")
    target_precompile_headers(dyadic_pch PRIVATE
      <mlir/IR/Builders.h> <mlir/IR/BuiltinOps.h> <mlir/IR/BuiltinTypes.h> <mlir/IR/BuiltinAttributes.h>
      <mlir/IR/OpImplementation.h> <mlir/IR/PatternMatch.h> <mlir/IR/DialectResourceBlobManager.h>
      <mlir/Interfaces/SideEffectInterfaces.h> <mlir/Interfaces/InferTypeOpInterface.h>
      <mlir/Dialect/Func/IR/FuncOps.h> <mlir/Dialect/Arith/IR/Arith.h> <mlir/Dialect/Quant/IR/Quant.h>
      <mlir/Dialect/Quant/IR/QuantTypes.h> <mlir/Pass/Pass.h> <mlir/Pass/PassManager.h>
      <mlir/Transforms/DialectConversion.h> <llvm/ADT/StringMap.h> <llvm/Support/JSON.h>)
  endif()
  target_precompile_headers(${name} REUSE_FROM dyadic_pch)
  target_compile_options(${name} PRIVATE -fpch-instantiate-templates)
endfunction()

# dyadic_tool(NAME SOURCES... LINK libraries)
function(dyadic_tool name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin
                        POSITION_INDEPENDENT_CODE ON)
  target_link_libraries(${name} PRIVATE dyadic_options ${ARG_LINK})
endfunction()
