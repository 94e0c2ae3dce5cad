// Builds dist/ from src/. The one implementation is CommonJS (dist/cjs); the ES module is a door
// onto it, so `import` and `require` in one program share every class.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');
const cjs = join(dist, 'cjs');

// A source file that was renamed or deleted must not live on in the package.
if (existsSync(cjs) && emitted().some((name) => !existsSync(join(root, 'src', `${name}.ts`)))) {
  rmSync(dist, { recursive: true });
}

const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const args = [tsc, '--project', join(root, 'tsconfig.build.json')];
const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
if (status !== 0) process.exit(1);

mkdirSync(cjs, { recursive: true });
writeFileSync(join(cjs, 'package.json'), '{ "type": "commonjs" }\n');
writeFileSync(join(dist, 'index.mjs'), "export * from './cjs/index.js';\n");
writeFileSync(join(dist, 'index.d.mts'), "export * from './cjs/index.js';\n");

/** Names of the emitted modules, as `nn/batchnorm`. */
function emitted() {
  const files = readdirSync(cjs, { recursive: true, encoding: 'utf8' });
  return files.filter((file) => file.endsWith('.js')).map((file) => file.slice(0, -'.js'.length));
}
