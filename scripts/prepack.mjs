// What npm runs before it packs or publishes: refuses a package without its binaries, or with binaries of
// other sources than those in it; writes the bill of materials (sbom.cdx.json), which goes into the package.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { TARGETS } from './prebuild/targets.mjs';
import { built, parseJson, root } from './tools.mjs';

const stale = join(root, 'dist', 'cjs', 'addon', 'stale.js');
if (!existsSync(stale)) refuse('dist/ is not there', 'npm run build');
const { sourcesHash } = /** @type {{ sourcesHash: (root: string) => string }} */ (
  built('addon', 'stale.js')
);
const sources = sourcesHash(root);
const folder = join(root, 'prebuilds');

// macOS and Windows come from CI, which packs what its jobs have made.
const needed = new Set(TARGETS.map(({ name }) => name));
const there = existsSync(folder) ? readdirSync(folder) : [];
for (const name of new Set([...needed, ...there])) {
  const addon = join(folder, name, 'evenkeel.node');
  if (!existsSync(addon)) refuse(`prebuilds/${name}/evenkeel.node is not there`);
  // The stamp is text in the binary (binding/stamp.cmake).
  if (!readFileSync(addon).includes(sources)) {
    refuse(
      `prebuilds/${name}/evenkeel.node was built from other sources than those of the package`,
    );
  }
}
writeFileSync(join(root, 'sbom.cdx.json'), `${JSON.stringify(billOfMaterials(), null, 2)}\n`);

/**
 * @param {string} why
 * @param {string} command
 * @returns {never}
 */
function refuse(why, command = 'npm run prebuilds') {
  console.error(`evenkeel: not packed, since ${why}. Run: ${command}`);
  process.exit(1);
}

/** CycloneDX. `npm sbom` would say "no dependencies", which leaves out what is compiled into the binaries. */
function billOfMaterials() {
  const { name, version, description } = readJson('package.json');
  const headers = readJson('node_modules/node-addon-api/package.json');
  const binaries = [...new Set([...needed, ...there])].sort().map((platform) => ({
    type: 'file',
    name: `prebuilds/${platform}/evenkeel.node`,
    hashes: [{ alg: 'SHA-256', content: sha256(join(folder, platform, 'evenkeel.node')) }],
  }));
  const inside = [
    {
      type: 'library',
      name: 'node-addon-api',
      version: headers.version,
      purl: `pkg:npm/node-addon-api@${headers.version}`,
      description: 'Headers, compiled into each binary.',
      licenses: [{ license: { id: 'MIT' } }],
    },
    {
      type: 'library',
      name: 'libstdc++',
      description: "The compiler's C++ library, linked statically into the Linux binaries.",
      licenses: [{ expression: 'GPL-3.0-or-later WITH GCC-exception-3.1' }],
    },
  ];
  const charts = ['echarts', 'zrender'].map((library) => {
    const { version } = readJson(`node_modules/${library}/package.json`);
    return {
      type: 'library',
      name: library,
      version,
      purl: `pkg:npm/${library}@${version}`,
      description: 'Bundled into dist/cjs/report/echarts.js.',
      licenses: [{ license: { id: library === 'echarts' ? 'Apache-2.0' : 'BSD-3-Clause' } }],
    };
  });
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    version: 1,
    metadata: {
      component: {
        type: 'library',
        'bom-ref': `pkg:npm/${name}@${version}`,
        name,
        version,
        description,
        purl: `pkg:npm/${name}@${version}`,
        licenses: [{ license: { id: 'MIT' } }],
      },
    },
    components: [...binaries, ...inside, ...charts],
  };
}

/**
 * @param {string} path
 * @returns {{ name: string, version: string, description: string }}
 */
function readJson(path) {
  return /** @type {ReturnType<typeof readJson>} */ (
    parseJson(readFileSync(join(root, path), 'utf8'))
  );
}

/** @param {string} file */
function sha256(file) {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}
