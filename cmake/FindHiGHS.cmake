# HiGHS as utils/setup.sh gets it from PyPI: the wheel's library, the headers of the source
# distribution's C interface. The library is loaded by its path when it is asked for, so
# nothing links it. Sets HIGHS_FOUND, HIGHS_INCLUDE_DIR and HIGHS_LIBRARY.
file(GLOB highs_prefixes $ENV{DYADIC_CACHE}/highs-* $ENV{HOME}/.cache/dyadic/highs-*)
find_path(HIGHS_INCLUDE_DIR interfaces/highs_c_api.h HINTS ${highs_prefixes} PATH_SUFFIXES include)
find_library(HIGHS_LIBRARY NAMES libhighs.so.1 highs HINTS ${highs_prefixes} PATH_SUFFIXES lib)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(HiGHS REQUIRED_VARS HIGHS_LIBRARY HIGHS_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "quant-search is built without --solver=highs")
mark_as_advanced(HIGHS_INCLUDE_DIR HIGHS_LIBRARY)
