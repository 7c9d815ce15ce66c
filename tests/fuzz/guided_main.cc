// Fuzzing guided by coverage for a program that GCC built: what libFuzzer does,
// in small, with its options as far as run.sh gives them. Clang cannot compile
// LibTorch's headers here, and AFL++ starts a process a file, which takes
// LibTorch a second.
//
//   PROGRAM CORPUS SEEDS -max_total_time=SECONDS -max_len=BYTES
//           -artifact_prefix=FOLDER/
//
// Inputs that reach new code go to CORPUS. One that ends the program or takes a
// minute goes to FOLDER.

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/random.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include <sanitizer/common_interface_defs.h>
#include <unistd.h>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace nerfpipe::fuzz {
namespace {

namespace fs = std::filesystem;

// A byte for each place in the code, by a hash of its address.
constexpr size_t kPlaces = size_t{1} << 18;
uint8_t reached[kPlaces];
uint8_t ever_reached[kPlaces];

struct Settings {
  std::vector<fs::path> folders;  // the first is the corpus
  double seconds = 60;
  size_t most_bytes = 100000;
  std::string found_prefix = "found-";
};
Settings settings;
std::string current;

void SaveCurrent() {
  const size_t name = std::hash<std::string>()(current);
  std::ofstream(settings.found_prefix + std::to_string(name), std::ios::binary)
      << current;
}

[[noreturn]] void GiveUp(int) {
  SaveCurrent();
  std::_Exit(1);
}

[[noreturn]] void Terminated() {
  SaveCurrent();
  std::abort();
}

// Whether it reached anything new.
bool Run(const std::string& bytes) {
  constexpr unsigned kMostSeconds = 60;
  current = bytes;
  std::fill_n(reached, kPlaces, uint8_t{0});
  alarm(kMostSeconds);
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()),
                         bytes.size());
  alarm(0);
  bool is_new = false;
  for (size_t i = 0; i < kPlaces; ++i) {
    is_new |= reached[i] > ever_reached[i];
    ever_reached[i] |= reached[i];
  }
  return is_new;
}

constexpr std::array<const char*, 14> kTokens = {"0",
                                                 "-1",
                                                 "1e308",
                                                 "-1e-308",
                                                 "nan",
                                                 "inf",
                                                 "4294967296",
                                                 "9223372036854775807",
                                                 "[",
                                                 "]",
                                                 "\"",
                                                 ",",
                                                 "null",
                                                 "{"};
constexpr std::array<int64_t, 9> kNumbers = {
    0, 1, -1, 127, 255, 32767, 65535, INT32_MAX, INT64_MAX};

class Mutator {
 public:
  std::string Mutate(const std::vector<std::string>& corpus) {
    std::string bytes = corpus[random_.Below(corpus.size())];
    const uint64_t count = 1 + random_.Below(6);
    for (uint64_t i = 0; i < count; ++i) Change(corpus, &bytes);
    bytes.resize(std::min(bytes.size(), settings.most_bytes));
    return bytes;
  }

 private:
  size_t Place(const std::string& bytes) {
    return bytes.empty() ? 0 : random_.Below(bytes.size());
  }

  void Change(const std::vector<std::string>& corpus, std::string* bytes) {
    const size_t at = Place(*bytes);
    const size_t length = 1 + random_.Below(random_.Below(2) == 0 ? 8 : 200);
    switch (random_.Below(8)) {
      case 0:
        if (!bytes->empty()) (*bytes)[at] ^= 1 << random_.Below(8);
        break;
      case 1:
        if (!bytes->empty()) {
          (*bytes)[at] = static_cast<char>(random_.Below(256));
        }
        break;
      case 2:
        bytes->erase(at, length);
        break;
      case 3:
        bytes->insert(at, bytes->substr(Place(*bytes), length));
        break;
      case 4: {
        const std::string& other = corpus[random_.Below(corpus.size())];
        bytes->replace(at, length, other.substr(Place(other), length));
        break;
      }
      case 5:
        PutNumber(at, bytes);
        break;
      case 6:
        bytes->insert(at, kTokens[random_.Below(kTokens.size())]);
        break;
      default:
        PutText(at, bytes);
    }
  }

  // Of 1, 2, 4 or 8 bytes.
  void PutNumber(size_t at, std::string* bytes) {
    const int64_t value = kNumbers[random_.Below(kNumbers.size())] -
                          static_cast<int64_t>(random_.Below(3));
    const size_t size = size_t{1} << random_.Below(4);
    for (size_t i = 0; i < size && at + i < bytes->size(); ++i) {
      (*bytes)[at + i] = static_cast<char>(value >> 8 * i & 255);
    }
  }

  // For the number in text that stands at or behind `at`.
  void PutText(size_t at, std::string* bytes) {
    const char* const digits = "0123456789.-+e";
    const size_t begin = bytes->find_first_of(digits, at);
    if (begin == std::string::npos) return;
    const size_t end = bytes->find_first_not_of(digits, begin);
    bytes->replace(begin,
                   end == std::string::npos ? end : end - begin,
                   kTokens[random_.Below(kTokens.size())]);
  }

  Random random_{static_cast<uint64_t>(
      std::chrono::steady_clock::now().time_since_epoch().count())};
};

Settings Parse(int argc, char** argv) {
  Settings parsed;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const size_t equals = argument.find('=');
    const std::string name = argument.substr(0, equals);
    const std::string value = argument.substr(equals + 1);
    if (name == "-max_total_time") {
      parsed.seconds = std::atof(value.c_str());
    } else if (name == "-max_len") {
      parsed.most_bytes = std::strtoul(value.c_str(), nullptr, 10);
    } else if (name == "-artifact_prefix") {
      parsed.found_prefix = value;
    } else if (argument[0] != '-') {
      parsed.folders.emplace_back(argument);
    }
  }
  return parsed;
}

}  // namespace

int Fuzz(int argc, char** argv) {
  settings = Parse(argc, argv);
  std::signal(SIGALRM, GiveUp);
  std::set_terminate(Terminated);
  __sanitizer_set_death_callback(SaveCurrent);
  std::vector<std::string> corpus = {""};
  for (const fs::path& folder : settings.folders) {
    for (const auto& entry : fs::directory_iterator(folder)) {
      corpus.push_back(ReadFile(entry.path()));
    }
  }
  int64_t runs = 0;
  for (const std::string& bytes : corpus) {
    Run(bytes);
    ++runs;
  }
  Mutator mutator;
  const auto begin = std::chrono::steady_clock::now();
  const std::chrono::duration<double> time(settings.seconds);
  while (std::chrono::steady_clock::now() - begin < time) {
    const std::string bytes = mutator.Mutate(corpus);
    ++runs;
    if (!Run(bytes)) continue;
    corpus.push_back(bytes);
    if (settings.folders.empty()) continue;
    WriteFileAtomically(
        settings.folders[0] / std::to_string(std::hash<std::string>()(bytes)),
        bytes);
  }
  std::fprintf(stderr,
               "stat::number_of_executed_units: %lld\n",
               static_cast<long long>(runs));
  return 0;
}

}  // namespace nerfpipe::fuzz

// Called by the code of -fsanitize-coverage=trace-pc at each of its branches.
extern "C" __attribute__((no_sanitize_coverage)) void
__sanitizer_cov_trace_pc() {
  const auto place = reinterpret_cast<uintptr_t>(__builtin_return_address(0));
  nerfpipe::fuzz::reached[(place ^ place >> 18) % nerfpipe::fuzz::kPlaces] = 1;
}

int main(int argc, char** argv) { return nerfpipe::fuzz::Fuzz(argc, argv); }
