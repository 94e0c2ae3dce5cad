// Findings as workflow commands of GitHub Actions, which shows them beside the file.
import type { Report } from '../../doctor/index.js';

const COMMANDS = { error: 'error', warning: 'warning', note: 'notice' } as const;

/** One line a finding. */
export function annotations({ findings }: Report, file: string): string[] {
  return findings.map(({ id, severity, layer, evidence, mend }) => {
    const title = layer === null || layer === '' ? id : `${id} in ${layer}`;
    const properties = `file=${property(file)},title=${property(title)}`;
    return `::${COMMANDS[severity]} ${properties}::${data(`${evidence} Mend: ${mend}`)}`;
  });
}

/** As the runner's own toolkit escapes them: a name from a file must not end the command or begin another. */
function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
