// `npm run example:server:load`: starts examples/server.ts, sends it digits over many connections, compares every
// answer with the model's own, and says how fast and how even the server was. `-- --help` for options.
import { availableParallelism, cpus, loadavg } from 'node:os';

import { native } from 'evenkeel';

import { readSettings } from './server-load/arguments.js';
import { bodiesAndAnswers } from './server-load/bodies.js';
import { load } from './server-load/client.js';
import { startIdle } from './server-load/idle.js';
import { report, type Sample } from './server-load/report.js';
import { startServer } from './server-load/start.js';

const settings = readSettings();
const { connections, minutes, rate, json } = settings;
native.setThreads(1); // the cores are the server's
const show = report(settings);
const given = await bodiesAndAnswers();
const server = await startServer();
const idle = startIdle();
const samples: Sample[] = [];

try {
  show.start(server.url, given.length);
  // A second's warm-up: code is compiled, pools fill.
  await load(server.url, given, {
    connections,
    rate,
    seconds: settings.warmUp,
    onProgress: () => undefined,
  });
  await server.reset();
  await idle.reset();
  const seconds = 60 * minutes;
  const result = await load(server.url, given, {
    connections,
    rate,
    seconds,
    onProgress: async (done) => {
      samples.push({ second: done.seconds, answers: done.answers, ...(await server.metrics()) });
      show.progress(done, seconds);
    },
  });
  const metrics = await server.metrics();
  const idleDelay = await idle.delay();
  const code = await server.stop();
  const summary = { connections, rate, ...result, metrics, idleDelay, samples, code };
  if (json) console.log(JSON.stringify({ machine: machineNow(), ...summary }));
  else show.end(summary);
  if (result.errors.length > 0 || code !== 0) process.exitCode = 1;
} finally {
  server.kill();
  idle.kill();
}

function machineNow(): Record<string, unknown> {
  return {
    date: new Date().toISOString().slice(0, 10),
    cpu: cpus()[0]!.model,
    cores: availableParallelism(),
    threads: native.threads, // the server's too: a core is left to its event loop
    isa: native.isa,
    node: process.version,
    loadAfter: loadavg()[0],
  };
}
