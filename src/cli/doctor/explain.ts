// `evenkeel doctor --explain <id>`: the words of docs/doctor/<id>.md, from the same source.
import { labelled, WIDTH, wrap } from '../../report/text.js';

/** @returns The exit code. */
export async function explain(id: string): Promise<number> {
  const { FINDINGS } = await import('../../doctor/index.js');
  const found = FINDINGS.find((each) => each.id === id);
  if (found === undefined) {
    const ids = FINDINGS.map((each) => each.id).join(', ');
    console.error(
      wrap(`evenkeel doctor: expected --explain one of ${ids}, got '${id}'.`, WIDTH).join('\n'),
    );
    return 2;
  }
  const { severity, what, why, how } = found;
  const lines = [
    `${found.id} (${severity})`,
    '',
    ...labelled('  what  ', what),
    ...labelled('  why   ', why),
    ...labelled('  mend  ', how),
  ];
  console.log(lines.join('\n'));
  return 0;
}
