#include "chat/interpreter.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "chat/filters.h"
#include "chat/printing.h"

namespace paroquant::chat {
Interpreter::Interpreter(const Body& body, const Variables& variables, Context& context)
    : body_(body), context_(context), top_(&globals_) {
  for (const auto& [name, value] : variables) globals_.Set(name, value);
}

std::string Interpreter::Render() {
  Run(body_, top_);
  return std::move(output_);
}

Interpreter::Flow Interpreter::Run(const Body& body, Scope& scope) {
  const Depth depth(depth_);
  for (const Statement& statement : body) {
    const Flow flow = AtLine(statement.line, [&] { return RunOne(statement, scope); });
    if (flow != Flow::kGoesOn) return flow;
  }
  return Flow::kGoesOn;
}

Interpreter::Flow Interpreter::RunOne(const Statement& statement, Scope& scope) {
  context_.budget.Spend(sizeof(Value));
  return std::visit([&](const auto& content) { return Execute(content, scope); },
                    statement.content);
}

void Interpreter::Write(std::string_view text) {
  context_.budget.Spend(text.size());
  output_ += text;
}

Interpreter::Flow Interpreter::Execute(const TextStatement& text, Scope& /*scope*/) {
  Write(text.text);
  return Flow::kGoesOn;
}

Interpreter::Flow Interpreter::Execute(const OutputStatement& output, Scope& scope) {
  const Value value = Evaluate(output.expression, scope);
  Write(AtLine(output.expression.line, [&] { return ToText(value, context_.budget); }));
  return Flow::kGoesOn;
}

Interpreter::Flow Interpreter::Execute(const SetStatement& set, Scope& scope) {
  Assign(set.target, Evaluate(set.value, scope), scope);
  return Flow::kGoesOn;
}

Interpreter::Flow Interpreter::Execute(const SetBlockStatement& set, Scope& scope) {
  Assign(set.target, Capture(*set.body, set.filters, scope), scope);
  return Flow::kGoesOn;
}

void Interpreter::Assign(const Target& target, const Value& value, Scope& scope) {
  const std::string& name = target.names.front();
  if (!target.attribute.empty()) {
    const Value* space = scope.Find(name);
    if (space == nullptr || !space->Is<Namespace*>()) {
      throw Fault("cannot assign attribute on non-namespace object");
    }
    context_.budget.Spend(sizeof(Value) + target.attribute.size());
    space->Get<Namespace*>()->Set(target.attribute, value);
  } else if (!target.is_tuple) {
    scope.Set(name, value);
  } else {
    const std::vector<Value> items = Items(value, context_.budget);
    if (items.size() != target.names.size()) {
      throw Fault(fmt::format("{} values for {} names", items.size(), target.names.size()));
    }
    for (size_t i = 0; i < items.size(); ++i) scope.Set(target.names[i], items[i]);
  }
}

Value Interpreter::Capture(const Body& body, const std::vector<FilterExpression>& filters,
                           Scope& scope) {
  Scope inside(&scope);
  std::string outside = std::exchange(output_, "");
  Run(body, inside);
  Value value = Value::String(std::exchange(output_, std::move(outside)));
  for (const FilterExpression& filter : filters) {
    value = ApplyFilter(filter.name, value, EvaluateArguments(filter.arguments, scope), context_);
  }
  return value;
}

Interpreter::Flow Interpreter::Execute(const IfStatement& statement, Scope& scope) {
  for (const auto& [condition, body] : statement.branches) {
    if (Truth(Evaluate(condition, scope))) return Run(body, scope);
  }
  return statement.otherwise == nullptr ? Flow::kGoesOn : Run(*statement.otherwise, scope);
}

Interpreter::Flow Interpreter::Execute(const MacroStatement& macro, Scope& scope) {
  scope.Set(macro.name, &macro);
  return Flow::kGoesOn;
}

Interpreter::Flow Interpreter::Execute(const FilterBlockStatement& block, Scope& scope) {
  Write(ToText(Capture(*block.body, block.filters, scope), context_.budget));
  return Flow::kGoesOn;
}

Interpreter::Flow Interpreter::Execute(const GenerationStatement& block, Scope& scope) {
  Scope inside(&scope);
  return Run(*block.body, inside);
}

Interpreter::Flow Interpreter::Execute(const LoopControl& control, Scope& /*scope*/) {
  return control == LoopControl::kBreak ? Flow::kBreaks : Flow::kContinues;
}

Value Interpreter::CallMacro(const MacroStatement& macro, const Arguments& arguments) {
  Scope inside(&top_);
  BindParameters(macro, arguments, inside);
  std::string outside = std::exchange(output_, "");
  Run(*macro.body, inside);
  return Value::String(std::exchange(output_, std::move(outside)));
}

void Interpreter::BindParameters(const MacroStatement& macro, const Arguments& arguments,
                                 Scope& scope) {
  const auto& parameters = macro.parameters;
  if (arguments.positional.size() > parameters.size()) {
    throw Fault(fmt::format("macro '{}' takes not more than {} argument(s)", macro.name,
                            parameters.size()));
  }
  for (size_t i = 0; i < arguments.positional.size(); ++i) {
    scope.Set(parameters[i].first, arguments.positional[i]);
  }
  for (const auto& [argument, value] : arguments.named) {
    const std::string& name = argument;  // clang 14 lets no lambda see a binding
    const auto found = std::ranges::find_if(
        parameters, [&](const auto& parameter) { return parameter.first == name; });
    const auto place = static_cast<size_t>(found - parameters.begin());
    if (found == parameters.end() || place < arguments.positional.size()) {
      throw Fault(fmt::format("macro '{}' takes no keyword argument '{}'", macro.name, name));
    }
    scope.Set(found->first, value);
  }
  for (size_t i = arguments.positional.size(); i < parameters.size(); ++i) {
    const std::string& name = parameters[i].first;
    const std::optional<Expression>& fallback = parameters[i].second;
    const bool given = std::ranges::any_of(
        arguments.named, [&](const auto& argument) { return argument.first == name; });
    if (given) continue;
    scope.Set(name, fallback ? Evaluate(*fallback, scope)
                             : Value::MakeUndefined(
                                   fmt::format("parameter '{}' was not provided", name)));
  }
}

}  // namespace paroquant::chat
