import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { within } from './wait.js';

const binary =
  process.env.INTEROP_SERVER ??
  fileURLToPath(new URL('../../../target/debug/interop-server', import.meta.url));

function run(env, port = 0) {
  // Only this environment, so that variables of the shell have no effect.
  const child = spawn(binary, [String(port)], { env, stdio: ['pipe', 'pipe', 'pipe'] });
  const output = { log: '' };
  child.stderr.setEncoding('utf8').on('data', (text) => (output.log += text));
  return { child, output };
}

/** Starts the server on a port of the loopback interface, a free one if none is given. */
export async function startServer(secrets, port) {
  const { child, output } = run(environment(secrets), port);
  const exited = once(child, 'exit');
  const line = once(createInterface({ input: child.stdout }), 'line');
  const failed = exited.then(() => Promise.reject(new Error(`the server did not start:\n${output.log}`)));
  const [text] = await within(Promise.race([line, failed]), 'the server to start');
  failed.catch(() => {});
  const url = text.match(/^listening on (http:\/\/127\.0\.0\.1:\d+)$/)?.[1];
  if (!url) throw new Error(`the server said ${JSON.stringify(text)}`);

  return {
    url,
    /** What the server has logged. */
    log: () => output.log,
    /** Resolves once the log contains the string. */
    logged: (text) => within(appears(child.stderr, output, text), `${JSON.stringify(text)} in the log`),
    /** The server ends when its stdin does. */
    async stop() {
      child.stdin.end();
      await within(exited, 'the server to end').catch((error) => {
        child.kill('SIGKILL');
        throw error;
      });
      return output.log;
    },
  };
}

/** Runs a server that is expected to fail at its start. Resolves with its exit code and its log. */
export async function failToStart(secrets) {
  const { child, output } = run(environment(secrets));
  try {
    const [code] = await within(once(child, 'close'), 'the server to end');
    return { code, log: output.log };
  } finally {
    child.kill('SIGKILL');
  }
}

function environment({ users, accounts }) {
  const variables = { INTEROP_SECRET: users, INTEROP_OTHER_SECRET: accounts };
  return Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== undefined));
}

function appears(stream, output, text) {
  return new Promise((resolve) => {
    const look = () => {
      if (!output.log.includes(text)) return;
      stream.off('data', look);
      resolve();
    };
    stream.on('data', look);
    look();
  });
}
