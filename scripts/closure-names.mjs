// What esbuild's `keepNames` does to functions, undone: it calls `Object.defineProperty` each time a closure is made,
// a third of a microsecond. Forward and backward of a BatchNorm1d on (16, 16) took 1.2 times as long with it.
// JavaScript gives a closure the name of its variable by itself; classes, which esbuild may rename, keep the call,
// as it runs once.
import ts from 'typescript';

/**
 * @param {string} code - What esbuild has made with `keepNames`.
 * @returns {string} Each character that is left is where it was: a source map stays right.
 */
export function withoutClosureNames(code) {
  const characters = code.split('');
  const blank = (/** @type {number} */ begin, /** @type {number} */ end) => {
    characters.fill(' ', begin, end);
  };
  const visit = (/** @type {ts.Node} */ node) => {
    const statement = ts.isExpressionStatement(node) ? named(node.expression) : null;
    const target = named(node);
    if (statement !== null && ts.isIdentifier(statement)) {
      // A declared function has its name: nothing is left of the statement.
      blank(node.getStart(source), node.end);
    } else if (target !== null && isFunction(target)) {
      // __name(() => 1, "one") becomes (() => 1), which takes the name of its variable as if it had no parentheses.
      blank(node.getStart(source), target.pos - 1);
      blank(target.end, node.end - 1);
    }
    ts.forEachChild(node, visit);
  };
  const source = ts.createSourceFile('pack.js', code, ts.ScriptTarget.Latest);
  visit(source);
  return characters.join('');
}

/**
 * What a call of `__name` names; null where it is no such call.
 *
 * @param {ts.Node} node
 */
function named(node) {
  if (!ts.isCallExpression(node) || !ts.isIdentifier(node.expression)) return null;
  return node.expression.text === '__name' ? (node.arguments[0] ?? null) : null;
}

/** @param {ts.Expression} value @returns {boolean} */
const isFunction = (value) =>
  ts.isParenthesizedExpression(value)
    ? isFunction(value.expression)
    : ts.isArrowFunction(value) || ts.isFunctionExpression(value);
