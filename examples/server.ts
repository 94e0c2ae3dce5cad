// `npm run example:server`: an HTTP service that says which digit a set of points is. It loads a checkpoint of PyTorch's,
// and answers many requests with one forward beside the event loop. `-- --help` for options; docs/server.md.
import type { AddressInfo } from 'node:net';

import { native } from 'evenkeel';

import { readSettings } from './server/arguments.js';
import { loadModel } from './server/predict.js';
import { createService } from './server/service.js';

const settings = readSettings();
// One core is the event loop's.
native.setThreads(settings.threads);
const model = await loadModel(settings.checkpoint);
const service = createService(model, settings);
const { server } = service;

process.once('SIGTERM', () => end('SIGTERM'));
process.once('SIGINT', () => end('SIGINT'));
server.on('error', (error) => {
  console.error(`server: ${error.message}.`);
  process.exit(1);
});
server.listen(settings.port, settings.host, () => {
  const { address, port } = server.address() as AddressInfo;
  console.log(`listening on http://${address}:${port}`);
  console.log(
    'POST /digits with {"points": [[x, y], …]} · GET /health · GET /metrics · ends with Ctrl+C',
  );
});

/** Answers what is in flight, then ends with 0; with 1 where that takes longer than it may. */
function end(signal: string): void {
  console.log(`${signal}: answering what is in flight`);
  const late = setTimeout(() => {
    console.error(`server: not all answered within ${settings.grace} s.`);
    process.exit(1);
  }, 1000 * settings.grace);
  void service.close().then(() => {
    clearTimeout(late);
    console.log('all answered');
  });
}
