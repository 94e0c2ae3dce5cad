// Two hosts on one machine: network namespaces with a cable between them, each with a name of its own, and a stand-in for
// ssh. Needs root on Linux.
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** @param {readonly string[]} args */
function ip(...args) {
  const { status, stderr, error } = spawnSync('ip', args, { encoding: 'utf8' });
  if (error !== undefined || status !== 0)
    throw new Error(`ip ${args.join(' ')}: ${stderr || String(error)}`);
}

const sleep = (/** @type {number} */ ms) =>
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

// As sshd: a shell, with next to no environment; its own names for memory that processes share, so that MPI takes no
// other host's. Options come before the host.
const SHELL = `#!/bin/sh
while [ "\${1#-}" != "$1" ]; do shift; done
host=$1
shift
exec env -i PATH="$PATH" HOME="$HOME" EVENKEEL_ENDS="$EVENKEEL_ENDS" ip netns exec "$host" \\
  unshare --uts --ipc sh -c 'hostname "$0"; eval "$*"' "$host" "$@"
`;

/**
 * @typedef {object} Hosts
 * @property {readonly string[]} names
 * @property {Record<string, string>} env what MPI's launchers need to know
 * @property {(command: readonly string[]) => string[]} on the command, on the first host
 * @property {(up: boolean) => void} cable
 * @property {() => void} remove
 */

/** @returns {Hosts | string} or why there are none */
export function makeHosts() {
  const names = ['a', 'b'].map((each) => `ek${process.pid}${each}`);
  const folder = mkdtempSync(join(tmpdir(), 'evenkeel-hosts-'));
  const remove = () => {
    for (const name of names) {
      spawnSync('ip', ['netns', 'delete', name]);
      rmSync(join('/etc/netns', name), { recursive: true, force: true });
    }
    rmSync(folder, { recursive: true, force: true });
  };
  const [first = '', second = ''] = names;
  try {
    const known = names.map((name, i) => `10.77.0.${i + 1} ${name}\n`).join('');
    for (const name of names) {
      ip('netns', 'add', name);
      ip('-n', name, 'link', 'set', 'lo', 'up');
      mkdirSync(join('/etc/netns', name), { recursive: true });
      writeFileSync(join('/etc/netns', name, 'hosts'), `127.0.0.1 localhost\n${known}`);
    }
    ip(
      '-n',
      first,
      'link',
      'add',
      'cable',
      'type',
      'veth',
      'peer',
      'name',
      'cable',
      'netns',
      second,
    );
    names.forEach((name, i) => {
      ip('-n', name, 'address', 'add', `10.77.0.${i + 1}/24`, 'dev', 'cable');
      ip('-n', name, 'link', 'set', 'cable', 'up');
    });
    // UCX, below MPICH, takes an interface that is not up yet for none.
    const isUp = (/** @type {string} */ name) =>
      spawnSync('ip', ['-n', name, 'link', 'show', 'cable']).stdout.toString().includes('state UP');
    for (let i = 0; i < 100 && !names.every(isUp); i++) sleep(50);
    const tried = spawnSync('ip', ['netns', 'exec', first, 'unshare', '--uts', '--ipc', 'hostname', first]); // prettier-ignore
    if (tried.status !== 0) throw new Error(`unshare --uts: ${tried.stderr.toString()}`);
  } catch (error) {
    remove();
    return error instanceof Error ? error.message.trim() : String(error);
  }
  const shell = join(folder, 'ssh');
  writeFileSync(shell, SHELL);
  chmodSync(shell, 0o755);
  return {
    names,
    env: {
      OMPI_MCA_plm_rsh_agent: shell,
      HYDRA_LAUNCHER: 'rsh',
      HYDRA_LAUNCHER_EXEC: shell,
      HYDRA_IFACE: 'cable',
      UCX_NET_DEVICES: 'cable',
    },
    on: (command) => [
      ...['ip', 'netns', 'exec', first, 'unshare', '--uts', '--ipc', 'sh', '-c'],
      ...['hostname "$0"; exec "$@"', first, ...command],
    ],
    cable: (up) => {
      ip('-n', second, 'link', 'set', 'cable', up ? 'up' : 'down');
    },
    remove,
  };
}
