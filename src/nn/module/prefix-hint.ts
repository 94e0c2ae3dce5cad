// A state dict whose keys all have a prefix that the module's own do not have.

interface Keys {
  readonly missing: readonly string[];
  readonly unexpected: readonly string[];
}

/** What to do about the prefix of a state dict that DataParallel or torch.compile has wrapped: 'module.fc.weight'. */
export function prefixHint({ missing, unexpected }: Keys): string[] {
  const [wrapped] = unexpected;
  const inner = missing.find((key) => wrapped?.endsWith(`.${key}`) === true);
  if (wrapped === undefined || inner === undefined) return [];
  const prefix = wrapped.slice(0, -inner.length);
  const keys = new Set(unexpected);
  if (!missing.every((key) => keys.has(prefix + key))) return [];
  const without = `new Map([...state].map(([key, value]) => [key.slice(${prefix.length}), value]))`;
  return [`These keys begin with '${prefix}', which the module does not have: load ${without}.`];
}
