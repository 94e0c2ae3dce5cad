// A Node that is emulated, as one executable: what process.execPath names in the emulator, so that the
// children of a test are emulated too. COMMAND is compiled in. A shell script would do, were it not for
// tests that preload a library for their child: the shell would load it. Hence linked statically, too.
#include <unistd.h>

#include <cstdio>
#include <vector>

int main(int argc, char** argv) {
  std::vector<const char*> all = {COMMAND};
  all.insert(all.end(), argv + 1, argv + argc);
  all.push_back(nullptr);
  execv(all[0], const_cast<char* const*>(all.data()));
  std::perror(all[0]);
  return 126;
}
