#include "pipeline/base/console.h"

#include "pipeline/base/system_call.h"
#include "pipeline/base/text.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <mutex>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

namespace nerfpipe {
namespace {

double SteadySeconds() {
  const std::chrono::duration<double> now =
      std::chrono::steady_clock::now().time_since_epoch();
  return now.count();
}

void WriteTo(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = Uninterrupted(
        [&] { return write(descriptor, text.data(), text.size()); });
    if (count <= 0) {
      return;  // nobody is listening, or the disk is full: no reason to stop
    }
    text.remove_prefix(static_cast<size_t>(count));
  }
}

bool LooksNumeric(std::string_view text) {
  return !text.empty() &&
         (std::isdigit(static_cast<unsigned char>(text[0])) ||
          ((text[0] == '-' || text[0] == '+') && text.size() > 1 &&
           std::isdigit(static_cast<unsigned char>(text[1]))));
}

}  // namespace

// What the console and its progress lines share.
struct Console::Screen {
  int descriptor = 2;
  bool terminal = false;
  std::mutex mutex;
  std::string progress_line;  // on the terminal now, without a line end
  int log = -1;

  ~Screen() { CloseLog(); }
  void CloseLog() {
    if (log >= 0) close(log);
    log = -1;
  }
  void Write(std::string_view text) const { WriteTo(descriptor, text); }
  void WriteLine(std::string_view line) const {
    const std::string erase = progress_line.empty() ? "" : "\r\x1b[K";
    Write(erase + std::string(line) + "\n" + progress_line);
  }
};

class Console::Line : public Progress {
 public:
  Line(std::shared_ptr<Screen> screen,
       bool visible,
       std::function<double()> clock,
       std::string_view what,
       int64_t total,
       std::string_view unit)
      : screen_(std::move(screen)),
        clock_(clock ? std::move(clock) : SteadySeconds),
        visible_(visible),
        what_(what),
        unit_(unit),
        total_(total) {}

  ~Line() override {
    const std::lock_guard lock(screen_->mutex);
    if (!screen_->progress_line.empty()) {
      screen_->progress_line.clear();
      screen_->Write("\r\x1b[K");
    }
  }

  void Update(int64_t done, std::string_view note) override {
    const std::lock_guard lock(screen_->mutex);
    if (first_done_ < 0) {
      first_done_ = done;  // work resumed from disk costs no time now
    }
    if (!visible_) {
      return;
    }
    const double interval = screen_->terminal ? 0.1 : 30;
    if (clock_() - last_print_ < interval) {
      return;
    }
    last_print_ = clock_();
    const std::string line = Format(done, note);
    if (screen_->terminal) {
      screen_->progress_line = line;
      screen_->Write("\r\x1b[K" + line);
    } else {
      screen_->WriteLine(line);
    }
  }

 private:
  std::string Format(int64_t done, std::string_view note) const {
    std::string line = "  " + what_ + "  " + std::to_string(done);
    if (total_ > 0) {
      line += "/" + std::to_string(total_);
    }
    line += " " + unit_;
    const double elapsed = clock_() - start_;
    if (total_ > 0 && done > first_done_ && done < total_) {
      const double rate = static_cast<double>(done - first_done_) / elapsed;
      line += "  " + HumanDuration(static_cast<double>(total_ - done) / rate) +
              " left";
    } else {
      line += "  " + HumanDuration(elapsed);
    }
    if (!note.empty()) {
      line += "  " + std::string(note);
    }
    return line;
  }

  std::shared_ptr<Screen> screen_;
  std::function<double()> clock_;
  bool visible_;
  std::string what_;
  std::string unit_;
  int64_t total_;
  int64_t first_done_ = -1;
  double start_ = clock_();
  // A pipe gets its first line after the interval, a terminal at once.
  double last_print_ = screen_->terminal ? start_ - 3600 : start_;
};

Console::Console(int descriptor, ConsoleOptions options)
    : screen_(std::make_shared<Screen>()), options_(options) {
  screen_->descriptor = descriptor;
  screen_->terminal = isatty(descriptor) != 0;
}

Console::~Console() = default;

void Console::LogTo(const std::filesystem::path& path) {
  const std::lock_guard lock(screen_->mutex);
  screen_->CloseLog();
  screen_->log = Uninterrupted([&] {
    return open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  });
}

void Console::Print(std::string_view line) {
  const std::lock_guard lock(screen_->mutex);
  screen_->WriteLine(line);
}

void Console::Log(std::string_view kind, std::string_view line) {
  const std::lock_guard lock(screen_->mutex);
  if (screen_->log < 0) {
    return;
  }
  const std::time_t now = std::time(nullptr);
  std::tm local = {};
  localtime_r(&now, &local);
  char stamp[32];
  std::strftime(stamp, sizeof(stamp), "%Y-%m-%d %H:%M:%S", &local);
  std::string text = stamp;
  text.append(" ").append(kind).append(" ").append(line).append("\n");
  WriteTo(screen_->log, text);
}

void Console::Info(std::string_view line) {
  Log("info", line);
  if (!options_.quiet) {
    Print(line);
  }
}

void Console::Warn(std::string_view line) {
  Log("warning", line);
  Print("warning: " + std::string(line));
}

void Console::Detail(std::string_view line) {
  Log("detail", line);
  if (options_.verbose) {
    Print(line);
  }
}

void Console::Show(const Table& table) {
  const std::string text = FormatTable(table);
  size_t start = 0;
  while (start < text.size()) {
    const size_t end = text.find('\n', start);
    Info(text.substr(start, end - start));
    start = end + 1;
  }
}

std::unique_ptr<Progress> Console::Start(std::string_view what,
                                         int64_t total,
                                         std::string_view unit) {
  return std::make_unique<Line>(
      screen_, !options_.quiet, options_.clock, what, total, unit);
}

std::string FormatTable(const Table& table) {
  std::vector<std::vector<std::string>> lines;
  if (!table.header.empty()) {
    lines.push_back(table.header);
  }
  lines.insert(lines.end(), table.rows.begin(), table.rows.end());

  std::vector<size_t> widths;
  std::vector<bool> numeric;
  for (const auto& line : lines) {
    widths.resize(std::max(widths.size(), line.size()), 0);
    for (size_t i = 0; i < line.size(); ++i) {
      widths[i] = std::max(widths[i], Columns(line[i]));
    }
  }
  for (size_t i = 0; i < widths.size(); ++i) {
    numeric.push_back(!table.rows.empty() &&
                      std::all_of(table.rows.begin(),
                                  table.rows.end(),
                                  [i](const std::vector<std::string>& row) {
                                    return i >= row.size() || row[i] == "-" ||
                                           row[i].empty() ||
                                           LooksNumeric(row[i]);
                                  }));
  }

  std::string text;
  for (const auto& line : lines) {
    std::string out = " ";
    for (size_t i = 0; i < line.size(); ++i) {
      const std::string pad(widths[i] - Columns(line[i]), ' ');
      out += " " + (numeric[i] ? pad + line[i] : line[i] + pad) + " ";
    }
    out.erase(out.find_last_not_of(' ') + 1);
    text += out + "\n";
  }
  return text;
}

}  // namespace nerfpipe
