// For statements and their variable `loop`.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "chat/interpreter.h"

namespace paroquant::chat {

Interpreter::Flow Interpreter::Execute(const ForStatement& loop, Scope& scope) {
  const Value items = Evaluate(loop.items, scope);
  const auto state = std::make_shared<Loop>();
  state->source = AtLine(loop.items.line, [&] { return Iterate(items, context_.budget); });
  const Running running{.statement = loop, .loop = state, .outside = scope};
  loops_.push_back(running);
  Scope inside(&scope);
  for (Value item; TakeNext(running, item);) {
    state->previous = std::exchange(state->current, item);
    ++state->index;
    inside.Clear();
    inside.Set("loop", state);
    Assign(loop.target, item, inside);
    if (Run(*loop.body, inside) == Flow::kBreaks) break;
  }
  loops_.pop_back();
  if (state->index >= 0 || loop.otherwise == nullptr) return Flow::kGoesOn;
  inside.Clear();
  return Run(*loop.otherwise, inside);
}

bool Interpreter::Next(const Running& running, Value& item) {
  Iterator& source = *running.loop->source;
  while (source.next < source.list->items.size()) {
    context_.budget.Spend(sizeof(Value));
    item = source.list->items[source.next++];
    if (!running.statement.condition) return true;
    Scope inside(&running.outside);
    Assign(running.statement.target, item, inside);
    if (Truth(Evaluate(*running.statement.condition, inside))) return true;
  }
  return false;
}

bool Interpreter::TakeNext(const Running& running, Value& item) {
  std::deque<Value>& ahead = running.loop->ahead;
  if (ahead.empty()) return Next(running, item);
  item = std::move(ahead.front());
  ahead.pop_front();
  return true;
}

bool Interpreter::HasNext(const Running& running) {
  Value item;
  if (running.loop->ahead.empty() && Next(running, item)) running.loop->ahead.push_back(item);
  return !running.loop->ahead.empty();
}

int64_t Interpreter::CountLoop(const Running& running) {
  for (Value item; Next(running, item);) running.loop->ahead.push_back(item);
  return running.loop->index + 1 + std::ssize(running.loop->ahead);
}

Value Interpreter::LoopAttribute(const std::shared_ptr<Loop>& loop, std::string_view name) {
  if (name == "index") return loop->index + 1;
  if (name == "index0") return loop->index;
  if (name == "first") return loop->index == 0;
  if (name == "depth") return int64_t{1};  // of recursive loops, which there are none of
  if (name == "depth0") return int64_t{0};
  if (name == "previtem") {
    return loop->index > 0 ? loop->previous : Value::MakeUndefined("there is no previous item");
  }
  const auto running = std::ranges::find(loops_, loop, &Running::loop);
  if (running == loops_.end()) {
    throw Fault(fmt::format("\"{}\" of a loop that is over", name), Fault::Kind::kUnsupported);
  }
  return AttributeAhead(*running, name);
}

Value Interpreter::AttributeAhead(const Running& running, std::string_view name) {
  if (name == "last") return !HasNext(running);
  if (name == "nextitem") {
    return HasNext(running) ? running.loop->ahead.front()
                            : Value::MakeUndefined("there is no next item");
  }
  if (name == "length") return CountLoop(running);
  if (name == "revindex") return CountLoop(running) - running.loop->index;
  if (name == "revindex0") return CountLoop(running) - running.loop->index - 1;
  throw Fault(fmt::format("\"{}\" of a loop", name), Fault::Kind::kUnsupported);
}

}  // namespace paroquant::chat
