// `evenkeel info`: which addon was loaded and why, which instruction sets and threads.
import { ABSENT } from '../addon/explain.js';
import type { Loaded } from '../addon/load.js';
import { libcOf, platformName } from '../addon/platform.js';
import { VERSION } from '../addon/version.js';
import { readOptions, type Usage } from './options.js';

const USAGE: Usage = {
  name: 'info',
  text: 'Says which addon is loaded and why, which instruction sets and threads it uses, and the versions.',
  options: { json: { type: 'boolean', help: 'print one object' } },
  examples: ['npx evenkeel info', 'EVENKEEL_ISA=scalar npx evenkeel info --json'],
  exitCodes: '0 an addon is loaded, 1 none can be, 2 an unknown option',
};

const WHY: Readonly<Record<Loaded['place']['kind'], string>> = {
  environment: 'EVENKEEL_NATIVE names it',
  checkout: 'the build of this checkout',
  'own build': 'made by `evenkeel build`',
  prebuilt: 'the binary in the package for this platform',
};

interface Info {
  readonly version: string;
  readonly node: string;
  readonly nodeApi: string | null;
  readonly platform: string;
  readonly libc: string | null;
  readonly addon: {
    readonly path: string;
    readonly why: string;
    readonly builtFrom: Loaded['stamp'];
    readonly isa: string;
    readonly availableIsas: readonly string[];
    readonly threads: number;
  } | null;
  readonly passedOver: readonly { readonly path: string; readonly why: string }[];
  readonly error: string | null;
}

export async function info(args: readonly string[]): Promise<number> {
  const values = readOptions(USAGE, args);
  if (typeof values === 'number') return values;
  const found = await examine();
  console.log(values['json'] === true ? JSON.stringify(found, null, 2) : textOf(found));
  return found.addon === null ? 1 : 0;
}

async function examine(): Promise<Info> {
  const isLinux = process.platform === 'linux';
  const system = {
    version: VERSION,
    node: process.version,
    nodeApi: process.versions['napi'] ?? null,
    platform: platformName(),
    libc: isLinux ? libcOf(process.execPath) : null,
  };
  try {
    const { load } = await import('../addon/load.js');
    const { native } = await import('../memory/native.js');
    const { place, stamp, failures } = load();
    const { isa, availableIsas, threads } = native;
    return {
      ...system,
      addon: {
        path: place.path,
        why: WHY[place.kind],
        builtFrom: stamp,
        ...{ isa, availableIsas, threads },
      },
      passedOver: failures.map(({ place: { path }, why }) => ({ path, why })),
      error: null,
    };
  } catch (error) {
    const message = String((error as { message?: unknown } | null | undefined)?.message ?? error);
    return { ...system, addon: null, passedOver: [], error: message };
  }
}

function textOf({ addon, passedOver, error, ...system }: Info): string {
  const { version, node, nodeApi, platform, libc } = system;
  const rows: [string, string][] = [
    ['Node', `${node}, Node-API ${nodeApi ?? 'unknown'}`],
    ['platform', libc === null ? platform : `${platform} (${libc})`],
  ];
  if (addon !== null) {
    const { isa, availableIsas, threads, builtFrom } = addon;
    const sources = `sources ${builtFrom.sources.slice(0, 12)}`;
    rows.push(
      ['addon', addon.path],
      ['why this one', addon.why],
      ['built from', `version ${builtFrom.version}, ${sources}, by ${builtFrom.compiler}`],
      ['kernels', `${isa} (this CPU can run ${availableIsas.join(', ')})`],
      ['threads', String(threads)],
    );
  }
  const lines = [
    `evenkeel ${version}`,
    ...rows.map(([name, text]) => `  ${name.padEnd(14)}${text}`),
  ];
  // Places that are empty are not worth a line; --json has them.
  for (const { path, why } of passedOver) {
    if (why !== ABSENT) lines.push(`  ${'not taken'.padEnd(14)}${path} ${why}`);
  }
  return error === null ? lines.join('\n') : `${lines.join('\n')}\n\n${error}`;
}
