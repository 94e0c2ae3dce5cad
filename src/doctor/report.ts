// Findings from what was examined, and the report that holds them.
import type { Examined, FoundIn, Rule } from './examined.js';
import { RULES } from './findings/index.js';
import type { Finding, Report, ReportData, Severity } from './report-types.js';

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
      measured: worst.measured ?? {},
      step: worst.step ?? null,
    };
  });
}

/** The report of plain data. */
export function reportFrom(data: ReportData): Report {
  return new PlainReport(data);
}

class PlainReport implements Report {
  declare readonly version: 1;
  declare readonly source: ReportData['source'];
  declare readonly subject: string;
  declare readonly healthy: boolean;
  declare readonly findings: ReportData['findings'];
  declare readonly layers: ReportData['layers'];
  declare readonly data: ReportData['data'];
  declare readonly outputDifference: ReportData['outputDifference'];
  declare readonly cases: ReportData['cases'];
  declare readonly accuracy: ReportData['accuracy'];
  declare readonly steps: number | null;

  constructor(data: ReportData) {
    Object.assign(this, data);
  }

  toString(): string {
    const lines = this.findings.map(
      ({ id, severity, layer, evidence, mend }) =>
        `${severity} ${id}${layer === null ? '' : ` in '${layer}'`}: ${evidence}\n  ${mend}`,
    );
    return lines.length === 0 ? 'The doctor has found nothing.' : lines.join('\n');
  }

  toJSON(): unknown {
    return speakable(Object.fromEntries(Object.entries(this)));
  }
}

/** JSON has no NaN and no infinities. */
function speakable(value: unknown): unknown {
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(speakable);
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, speakable(each)]));
}

/** Notes do not make a model unhealthy. */
export function isHealthy(findings: readonly Finding[]): boolean {
  return findings.every(({ severity }) => severity === 'note');
}
