// What an argument that is none is answered with.
#include "args.h"

namespace evenkeel::binding {

void Args::fail(const char* name, const std::string& expected, const std::string& actual) const {
  throw Napi::TypeError::New(env_, std::string("evenkeel addon: expected ") + name + " to be " +
                                       expected + ", got " + actual + ".");
}

void Args::fail_count(std::size_t count) const {
  throw Napi::TypeError::New(env_, "evenkeel addon: expected " + std::to_string(count) +
                                       " arguments, got " + std::to_string(count_) + ".");
}

void Args::fail_kind(const char* name, const char* kind) const {
  fail(name, std::string("a ") + kind, "another kind of value");
}

void Args::fail_number(const char* name, const char* expected, double actual) const {
  fail(name, expected, std::to_string(actual));
}

void Args::fail_length(const char* name, const char* kind, std::size_t expected,
                       std::size_t actual) const {
  fail(name, std::string("a ") + kind + " of length " + std::to_string(expected),
       actual == 0 ? "a detached, shrunk or empty one" : "length " + std::to_string(actual));
}

void Args::fail_alignment(const char* name) const {
  fail(name, "memory aligned to its elements", "a misaligned address");
}

}  // namespace evenkeel::binding
