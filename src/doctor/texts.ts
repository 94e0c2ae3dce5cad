// What is said of each finding, for pages and for programs that explain a report.
import { RULES } from './findings/index.js';
import type { FindingId, MendedBy, Severity } from './report-types.js';

export interface FindingText {
  readonly id: FindingId;
  /** The usual one. */
  readonly severity: Severity;
  readonly mendedBy: MendedBy;
  /** What it is, why it hurts, and how it is mended. */
  readonly what: string;
  readonly why: string;
  readonly how: string;
}

/** Every finding that there is, in the order of the documentation. */
export const FINDINGS: readonly FindingText[] = Object.freeze(
  RULES.map(({ id, severity, mendedBy, what, why, how }) =>
    Object.freeze({ id, severity, mendedBy, what, why, how }),
  ),
);
