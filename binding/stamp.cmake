# Writes OUT, which says what an addon is built from: the package's version and a hash of the C++ sources.
# src/addon/stale.ts computes the same hash. Run by CMakeLists.txt whenever a source has changed:
#   cmake -DROOT=… -DOUT=… -P binding/stamp.cmake
cmake_minimum_required(VERSION 3.15...3.31)
file(STRINGS ${ROOT}/package.json lines REGEX "^  \"version\": \"")
list(GET lines 0 line)
string(REGEX REPLACE "^  \"version\": \"([^\"]*)\".*$" "\\1" version "${line}")

# The order is that of the bytes of the names, in CMake and in JavaScript.
file(GLOB_RECURSE files LIST_DIRECTORIES false RELATIVE ${ROOT}
  ${ROOT}/native/* ${ROOT}/binding/*)
list(APPEND files CMakeLists.txt)
list(SORT files)
set(hashes "")
foreach(file IN LISTS files)
  file(SHA256 ${ROOT}/${file} hash)
  string(APPEND hashes "${file} ${hash}\n")
endforeach()
string(SHA256 sources "${hashes}")

file(WRITE ${OUT}.new "#include \"stamp.h\"

namespace evenkeel::binding {
const char* const kVersion = \"${version}\";
const char* const kSources = \"${sources}\";
}  // namespace evenkeel::binding
")
file(RENAME ${OUT}.new ${OUT})
