// Sentences that the terminal and the page share.
import { count, counted, percent } from '../../report/numbers.js';
import type { CaseReport, Finding, LayerReport, ReportData, Severity } from '../report-types.js';

const SEVERITIES: readonly Severity[] = ['error', 'warning', 'note'];

/** `1 error, 2 warnings`; `Healthy: nothing found.` */
export function verdict({ findings, healthy }: ReportData): string {
  if (findings.length === 0) return 'Healthy: nothing found.';
  const counts = SEVERITIES.map((severity) => ({
    severity,
    found: findings.filter((each) => each.severity === severity).length,
  }));
  const words = counts
    .filter(({ found }) => found > 0)
    .map(({ severity, found }) => counted(found, severity));
  return `${healthy ? 'Healthy, with ' : ''}${words.join(', ')}.`;
}

/** What was examined. */
export function scope({ subject, source, layers, data, steps }: ReportData): string {
  const names = { model: 'a model', checkpoint: 'a checkpoint', training: 'a training' };
  return [
    subject === '' ? names[source] : subject,
    counted(layers.length, 'BatchNorm layer'),
    ...(data === null
      ? []
      : [
          `${counted(data.samples, 'sample')} in ${counted(data.batches, 'batch').replace(/batchs$/, 'batches')}`,
        ]),
    ...(steps === null ? [] : [`${counted(steps, 'step')} of training`]),
  ].join(', ');
}

/** `layer bn1 and 3 more`; nothing for the model as a whole. */
export function place({ layer, alsoIn }: Finding): string {
  if (layer === null) return '';
  const name = layer === '' ? 'the model itself' : `layer ${layer}`;
  return alsoIn.length === 0 ? name : `${name} and ${count(alsoIn.length)} more`;
}

/** Undefined where accuracy was not measured. */
export function accuracyLine({ accuracy }: ReportData): string | undefined {
  if (accuracy === null || accuracy.asFound === null) return undefined;
  const { asFound, recalibrated } = accuracy;
  const mended = recalibrated === null ? '' : `, ${percent(recalibrated)} recalibrated`;
  return `Accuracy ${percent(asFound)} as found${mended}.`;
}

/** Why there are cases without an accuracy; undefined where there are none. */
export function missingCases(cases: readonly CaseReport[]): string | undefined {
  if (cases.every(({ accuracy }) => accuracy !== null)) return undefined;
  return (
    'There is no accuracy where a batch has one value per channel and its own statistics would ' +
    'normalise it, where a layer has no running statistics, or where the outputs are not one score per class.'
  );
}

/** Undefined where the two modes were not compared. */
export function differenceLine({ outputDifference, layers }: ReportData): string | undefined {
  const hasBoth = layers.some(({ hasRunningStatistics }) => hasRunningStatistics);
  if (outputDifference === null || !hasBoth) return undefined;
  const { relative, otherClass } = outputDifference;
  const classes =
    otherClass === null ? '' : ` ${percent(otherClass)} of the samples get another class.`;
  return (
    `Between batch and running statistics the outputs differ by ${percent(relative)} of their ` +
    `standard deviation.${classes}`
  );
}

/** Null where it is not known. */
export function modeOf({ training, frozen }: LayerReport): string | null {
  if (frozen === true) return 'frozen';
  if (training === null) return null;
  return training ? 'train' : 'eval';
}

export function nameOf({ name }: LayerReport): string {
  return name === '' ? '(the model)' : name;
}

/** Names of the layers that a finding is about. */
export function troubled({ findings }: ReportData): Set<string> {
  return new Set(
    findings.flatMap(({ layer, alsoIn }) => (layer === null ? alsoIn : [layer, ...alsoIn])),
  );
}
