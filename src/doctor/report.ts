// Findings from what was examined.
import type { Examined, FoundIn, Rule } from './examined.js';
import { RULES } from './findings/index.js';
import type { Finding, Severity } from './report-types.js';

const ORDER: Readonly<Record<Severity, number>> = { error: 0, warning: 1, note: 2 };

/** Errors first; among equals in the order of the rules. */
export function findingsOf(examined: Examined): Finding[] {
  const findings = RULES.flatMap((rule) => together(rule, rule.detect(examined)));
  return findings.sort((a, b) => ORDER[a.severity] - ORDER[b.severity]);
}

/** Layers that have the same finding for the same reason are one finding, described by the worst of them. */
function together(rule: Rule, found: readonly FoundIn[]): Finding[] {
  const groups = new Map<string, FoundIn[]>();
  for (const each of found) {
    const key = `${each.severity ?? rule.severity} ${each.cause}`;
    groups.set(key, [...(groups.get(key) ?? []), each]);
  }
  return [...groups.values()].map((group) => {
    const sorted = [...group].sort((a, b) => b.effect - a.effect);
    const [worst] = sorted as [FoundIn];
    const others = new Set(sorted.flatMap(({ layer }) => (layer === null ? [] : [layer])));
    if (worst.layer !== null) others.delete(worst.layer);
    return {
      id: rule.id,
      severity: worst.severity ?? rule.severity,
      layer: worst.layer,
      alsoIn: [...others],
      evidence: worst.evidence,
      cause: worst.cause,
      mend: worst.mend,
      measured: { ...worst.measured, ...channelsOf(sorted.slice(1)) },
      step: worst.step ?? null,
    };
  });
}

/** The channels of the layers that the evidence does not describe. */
function channelsOf(others: readonly FoundIn[]): Finding['measured'] {
  return Object.fromEntries(
    others.flatMap(({ layer, measured = {} }) =>
      layer === null || measured['channels'] === undefined
        ? []
        : [[`channels of ${layer}`, measured['channels']]],
    ),
  );
}

export { reportFrom } from './report/shown.js';

/** Notes do not make a model unhealthy. */
export function isHealthy(findings: readonly Finding[]): boolean {
  return findings.every(({ severity }) => severity === 'note');
}
