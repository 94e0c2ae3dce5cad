// The list of new tensors that the innermost scope (scope.ts) disposes of at its end.

/** What the list knows of a tensor. */
interface Listed {
  readonly disposed: boolean;
  /** Something outside of the scope it was made in has taken it. */
  readonly kept: boolean;
}

/** Null outside of any scope. */
let made: Listed[] | null = null;

/** @internal Lists new tensors in `list` from here on; returns the list before. */
export function collect<Made extends Listed>(list: Made[] | null): Made[] | null {
  const before = made;
  made = list;
  return before as Made[] | null;
}

/** @internal What `body` makes belongs to no scope: it outlives the call that may be in one. */
export function outsideScopes<Result>(body: () => Result): Result {
  const list = collect(null);
  try {
    return body();
  } finally {
    collect(list);
  }
}

/** @internal Lists a new tensor, where a scope is open. */
export function enlist(tensor: Listed): void {
  if (made !== null) push(tensor, made);
}

/**
 * Lists a tensor. At 4,096, 8,192, … tensors those that need nothing any more are struck off: a long loop
 * of `using` inside one scope stays as small as what lives.
 */
function push(tensor: Listed, list: Listed[]): void {
  const length = list.push(tensor);
  if (length < 4096 || (length & (length - 1)) !== 0) return;
  let open = 0;
  for (const each of list) if (!each.disposed && !each.kept) list[open++] = each;
  list.length = open;
}
