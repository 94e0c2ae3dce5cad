// The report as JSON, which has no NaN and no infinities: they are strings. report.schema.json says the form.
import type { ReportData } from '../report-types.js';

/** The data and nothing else, whatever the object carries besides. */
export function jsonOf(report: ReportData): unknown {
  const { version, source, subject, healthy, findings, layers, data } = report;
  const { outputDifference, cases, accuracy, steps } = report;
  const fields = { version, source, subject, healthy, findings, layers, data };
  return plain({ ...fields, outputDifference, cases, accuracy, steps });
}

function plain(value: unknown): unknown {
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
}
