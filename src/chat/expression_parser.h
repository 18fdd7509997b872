// Expressions of a template from tokens to tree.
#ifndef PAROQUANT_CHAT_EXPRESSION_PARSER_H_
#define PAROQUANT_CHAT_EXPRESSION_PARSER_H_

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "chat/syntax.h"
#include "chat/token_stream.h"

namespace paroquant::chat {

// A method for each level of precedence, the loosest first.
class ExpressionParser {
 public:
  // `tokens` must outlive this.
  explicit ExpressionParser(TokenStream& tokens) : tokens_(tokens) {}

  // An expression, or several with commas, which make a tuple.
  Expression ParseTuple();
  Expression ParseExpression();  // with "a if b else c"
  Expression ParseTupleWithoutCondition();
  Expression ParseOr();
  // "| name(arguments)", any number of times.
  std::vector<FilterExpression> ParseFilters();
  FilterExpression ParseFilterName();

  // Whether what is parsed stands in the body of an "if". Returns what was set before.
  bool SetConditional(bool conditional) { return std::exchange(conditional_, conditional); }

 private:
  using Level = Expression (ExpressionParser::*)();

  Expression ParseItems(Level item);
  Expression ParseAnd();
  Expression ParseNot();
  Expression ParseComparison();
  Expression ParseSum();
  Expression ParseConcatenation();
  Expression ParseProduct();
  Expression ParseUnary(bool with_filters);
  Expression ParsePrimary();
  Expression ParseParenthesis();
  Expression ParseList();
  Expression ParseDict();
  Expression ParsePostfix(Expression object);
  Expression ParseAttribute(Expression object);
  Expression ParseSubscript(Expression object);
  Expression ParseCall(Expression function);
  Expression ParseFiltersAndTests(Expression input);
  Expression ParseTest(Expression input);
  ArgumentExpressions ParseArguments();
  ArgumentExpressions ParseTestArguments();
  std::optional<Comparison> TakeComparison();

  // Refuse what would take too much of the stack to parse, evaluate or free.
  class Nesting {
   public:
    explicit Nesting(ExpressionParser& parser);
    Nesting(const Nesting&) = delete;
    Nesting& operator=(const Nesting&) = delete;
    ~Nesting() { --parser_.nesting_; }

   private:
    ExpressionParser& parser_;
  };
  void CheckChain(int length) const;

  TokenStream& tokens_;
  int nesting_ = 0;
  bool conditional_ = false;
};

}  // namespace paroquant::chat

#endif  // PAROQUANT_CHAT_EXPRESSION_PARSER_H_
