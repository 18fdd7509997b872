// Templates rendered.
#ifndef PAROQUANT_CHAT_INTERPRETER_H_
#define PAROQUANT_CHAT_INTERPRETER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chat/arguments.h"
#include "chat/context.h"
#include "chat/scope.h"
#include "chat/syntax.h"

namespace paroquant::chat {

using Variables = std::vector<std::pair<std::string, Value>>;

// Runs `action` and gives the errors that have no line yet this one.
template <typename Action>
auto AtLine(int line, const Action& action) {
  try {
    return action();
  } catch (const Fault& fault) {
    if (fault.line() != 0) throw;
    throw Fault(fault.message(), fault.kind(), line);
  }
}

// One rendering of one template.
class Interpreter {
 public:
  // All must outlive this.
  Interpreter(const Body& body, const Variables& variables, Context& context);

  // Throws Fault with the line of the expression or statement that failed.
  std::string Render();

 private:
  // What is left of a statement's way through the body that it is in.
  enum class Flow { kGoesOn, kBreaks, kContinues };

  // Statements write to output_.
  Flow Run(const Body& body, Scope& scope);
  Flow RunOne(const Statement& statement, Scope& scope);
  Flow Execute(const TextStatement& text, Scope& scope);
  Flow Execute(const OutputStatement& output, Scope& scope);
  Flow Execute(const SetStatement& set, Scope& scope);
  Flow Execute(const SetBlockStatement& set, Scope& scope);
  Flow Execute(const IfStatement& statement, Scope& scope);
  Flow Execute(const ForStatement& loop, Scope& scope);
  Flow Execute(const MacroStatement& macro, Scope& scope);
  Flow Execute(const FilterBlockStatement& block, Scope& scope);
  Flow Execute(const GenerationStatement& block, Scope& scope);
  Flow Execute(const LoopControl& control, Scope& scope);

  void Write(std::string_view text);
  void Assign(const Target& target, const Value& value, Scope& scope);
  // What a body writes, in a scope of its own, through some filters.
  Value Capture(const Body& body, const std::vector<FilterExpression>& filters, Scope& scope);

  // A loop that is running: what it needs to find its next items.
  struct Running {
    const ForStatement& statement;
    std::shared_ptr<Loop> loop;
    Scope& outside;
  };
  // The next item that passes the loop's condition; false behind the last one.
  bool Next(const Running& running, Value& item);
  bool TakeNext(const Running& running, Value& item);
  bool HasNext(const Running& running);
  int64_t CountLoop(const Running& running);
  Value LoopAttribute(const std::shared_ptr<Loop>& loop, std::string_view name);
  Value AttributeAhead(const Running& running, std::string_view name);

  Value Evaluate(const Expression& expression, Scope& scope);
  Value Compute(const LiteralExpression& literal, Scope& scope);
  Value Compute(const NameExpression& name, Scope& scope);
  Value Compute(const ListExpression& list, Scope& scope);
  Value Compute(const DictExpression& dict, Scope& scope);
  Value Compute(const AttributeExpression& attribute, Scope& scope);
  Value Compute(const ItemExpression& item, Scope& scope);
  Value Compute(const SliceExpression& slice, Scope& scope);
  Value Compute(const CallExpression& call, Scope& scope);
  Value Compute(const FilterExpression& filter, Scope& scope);
  Value Compute(const TestExpression& test, Scope& scope);
  Value Compute(const UnaryExpression& unary, Scope& scope);
  Value Compute(const BinaryExpression& binary, Scope& scope);
  Value Compute(const ConcatenationExpression& concatenation, Scope& scope);
  Value Compute(const ComparisonExpression& comparison, Scope& scope);
  Value Compute(const LogicalExpression& logical, Scope& scope);
  Value Compute(const ConditionalExpression& conditional, Scope& scope);

  Arguments EvaluateArguments(const ArgumentExpressions& arguments, Scope& scope);
  Value CallMacro(const MacroStatement& macro, const Arguments& arguments);
  void BindParameters(const MacroStatement& macro, const Arguments& arguments, Scope& scope);

  // Counts the calls of Run and Evaluate inside of each other.
  class Depth {
   public:
    explicit Depth(int& depth);
    Depth(const Depth&) = delete;
    Depth& operator=(const Depth&) = delete;
    ~Depth() { --depth_; }

   private:
    int& depth_;
  };

  const Body& body_;
  Context& context_;
  Scope globals_;
  Scope top_;
  std::string output_;
  std::vector<Running> loops_;
  int depth_ = 0;
};

}  // namespace paroquant::chat

#endif  // PAROQUANT_CHAT_INTERPRETER_H_
