// `npm run bench:peers`: installs the packages that the benchmark compares with, at fixed versions, in a
// folder of their own (bench/peers/.packages, ignored by git), with their install scripts off. They are
// no dependencies of ours, and `npm ci` never brings them.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PEERS = {
  '@tensorflow/tfjs-backend-cpu': '4.22.0',
  '@tensorflow/tfjs-backend-wasm': '4.22.0',
  '@tensorflow/tfjs-core': '4.22.0',
  deepbox: '1.0.0',
  'onnxruntime-node': '1.30.0',
};

const folder = fileURLToPath(new URL('../bench/peers/.packages', import.meta.url));
mkdirSync(folder, { recursive: true });
const manifest = { private: true, description: 'Peers of the benchmark', dependencies: PEERS };
writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);

const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
const { status, error } = spawnSync('npm', args, {
  cwd: folder,
  stdio: 'inherit',
  shell: process.platform === 'win32',
});
if (error) console.error(`install-peers: npm does not run: ${error.message}`);
if (status === 0)
  console.log('PyTorch is found by itself: python3, or the Python of EVENKEEL_PYTHON.');
process.exitCode = status ?? 1;
