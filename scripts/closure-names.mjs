// What esbuild's `keepNames` does to functions, undone: it calls `Object.defineProperty` each time a closure is made,
// a third of a microsecond. A forward and backward of a BatchNorm1d on (16, 16) took 1.2 times as long, on
// SyncBatchNorm too. JavaScript gives a closure the name of its variable by itself; classes, which esbuild may
// rename, keep the call, as it runs once.
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
    if (isNaming(node)) {
      const target = /** @type {ts.Expression} */ (node.arguments[0]);
      let value = target;
      while (ts.isParenthesizedExpression(value)) value = value.expression;
      if (ts.isArrowFunction(value) || ts.isFunctionExpression(value)) {
        // __name(() => 1, "one") becomes (() => 1), which takes the name of its variable as if it had no parentheses.
        blank(node.getStart(source), node.expression.end);
        blank(target.end, node.end - 1);
      } else if (ts.isIdentifier(value)) {
        // A declared function has its name: nothing is left of the statement.
        blank(node.getStart(source), node.parent.end);
      }
    }
    ts.forEachChild(node, visit);
  };
  const source = ts.createSourceFile('pack.js', code, ts.ScriptTarget.Latest, true);
  visit(source);
  return characters.join('');
}

/**
 * @param {ts.Node} node
 * @returns {node is ts.CallExpression}
 */
const isNaming = (node) =>
  ts.isCallExpression(node) &&
  ts.isIdentifier(node.expression) &&
  node.expression.text === '__name';
