// The options of the load test.
import { readOptions } from '../../src/cli/options.js';

export interface Settings {
  readonly connections: number;
  readonly minutes: number;
  /** Requests a second over all connections; 0: as many as the server answers. */
  readonly rate: number;
  /** Seconds. */
  readonly warmUp: number;
  readonly json: boolean;
}

/** The settings of this run. Prints help and ends the process with 0, or a mistake and ends it with 2. */
export function readSettings(): Settings {
  const values = readOptions(
    {
      name: 'server-load',
      program: 'server-load',
      call: 'npm run example:server:load --',
      text: `Sends digits to the example server, over connections that each wait for their answer
before they send again, and compares every answer with the model's own. With --rate as many
a second as that, the load of a service; without, as many as the server can answer.`,
      options: {
        connections: {
          type: 'number',
          default: 32,
          min: 1,
          max: 1024,
          whole: true,
          help: 'open at a time',
        },
        minutes: { type: 'number', default: 0.25, min: 0.01, max: 60, help: 'of load' },
        rate: {
          type: 'number',
          default: 0,
          min: 0,
          max: 1e6,
          help: 'requests a second; 0: no limit',
        },
        'warm-up': { type: 'number', default: 3, min: 0, max: 60, help: 'seconds before it' },
        json: { type: 'boolean', help: 'print one JSON object and nothing else' },
      },
    },
    process.argv.slice(2),
  );
  if (typeof values === 'number') process.exit(values);
  return { ...values, warmUp: values['warm-up'] } as unknown as Settings;
}
