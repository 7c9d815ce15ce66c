#include "stages/nerf/options_text.h"

#include "stages/nerf/option_lists.h"

#include <initializer_list>
#include <iomanip>
#include <limits>
#include <locale>
#include <map>
#include <sstream>
#include <type_traits>
#include <utility>

namespace nerfpipe::nerf {
namespace {

// f(full name, field) for every option, in the form of an OptionGroup.
template <class F>
class Fields {
 public:
  static constexpr bool kNoEffect = false;

  Fields(std::string group, const F& f) : group_(std::move(group)), f_(f) {}

  template <class T>
  Fields& Integer(
      const char* name, T* field, const char*, int, int, bool = true) {
    return Visit(name, field);
  }
  template <class T>
  Fields& Number(
      const char* name, T* field, const char*, double, double, bool = true) {
    return Visit(name, field);
  }
  Fields& Flag(const char* name, bool* field, const char*, bool = true) {
    return Visit(name, field);
  }
  Fields& Choice(const char* name,
                 std::string* field,
                 std::initializer_list<const char*>,
                 const char*,
                 bool = true) {
    return Visit(name, field);
  }

 private:
  template <class T>
  Fields& Visit(const char* name, T* field) {
    f_(group_ + "." + name, *field);
    return *this;
  }

  std::string group_;
  const F& f_;
};

// Those of the method that options.train names.
template <class F>
void Visit(Options& options, const F& f) {
  f("train.method", options.train.method);
  f("train.steps", options.train.steps);
  f("train.seed", options.train.seed);
  ForEachMethodGroup(options, [&](const std::string& name, const auto& list) {
    if (name != options.train.method) return;
    Fields<F> fields(name, f);
    list(fields);
  });
}

std::map<std::string, std::string> Lines(const std::string& text) {
  std::map<std::string, std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    const size_t equals = line.find('=');
    if (equals != std::string::npos) {
      lines[line.substr(0, equals)] = line.substr(equals + 1);
    }
  }
  return lines;
}

}  // namespace

std::string OptionsText(const Options& options) {
  std::ostringstream out;
  out.imbue(std::locale::classic());
  out << std::setprecision(std::numeric_limits<double>::max_digits10);
  Options copy = options;
  Visit(copy, [&](const std::string& name, const auto& field) {
    out << name << "=" << field << "\n";
  });
  return out.str();
}

Options OptionsFromText(const std::string& text) {
  const auto lines = Lines(text);
  Options options;
  Visit(options, [&](const std::string& name, auto& field) {
    const auto found = lines.find(name);
    if (found == lines.end()) {
      return;
    }
    using Field = std::decay_t<decltype(field)>;
    if constexpr (std::is_same_v<Field, std::string>) {
      field = found->second;
    } else {
      std::istringstream in(found->second);
      in.imbue(std::locale::classic());
      in >> field;
    }
  });
  return options;
}

std::string FirstDifference(const std::string& stored,
                            const std::string& here) {
  const auto a = Lines(stored);
  const auto b = Lines(here);
  const auto value = [](const auto& lines, const std::string& name) {
    const auto found = lines.find(name);
    return found == lines.end() ? std::string("nothing") : found->second;
  };
  for (const auto& [name, text] : b) {
    if (value(a, name) != text) {
      return name + " (" + value(a, name) + ", here " + text + ")";
    }
  }
  for (const auto& [name, text] : a) {
    if (b.count(name) == 0) {
      return name + " (" + text + ", here nothing)";
    }
  }
  return "";
}

}  // namespace nerfpipe::nerf
