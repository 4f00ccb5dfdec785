// What is published: its size, its types, its names, its documentation.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';

import { build } from 'esbuild';
import * as client from 'socketioxide-jwt-auth-client';
import * as client2 from 'socketioxide-jwt-auth-client/v2';

const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const read = (name) => readFile(path(name), 'utf8');

async function sizeOf(entry) {
  const { outputFiles } = await build({
    entryPoints: [path(entry)],
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    write: false,
  });
  return gzipSync(outputFiles[0].contents, { level: 9 }).length;
}

test('the client for versions 3 and 4 is at most 2 KB, minified and gzipped', async (test) => {
  const size = await sizeOf('src/index.js');
  test.diagnostic(`${size} bytes`);
  assert.ok(size <= 2048, `${size} bytes`);
});

test('the client for version 2 is at most 3 KB, minified and gzipped', async (test) => {
  const size = await sizeOf('src/v2.js');
  test.diagnostic(`${size} bytes`);
  assert.ok(size <= 3072, `${size} bytes`);
});

test('both entries have the same names', () => {
  assert.deepEqual(Object.keys(client).sort(), ['actionFor', 'keepAuthenticated']);
  assert.deepEqual(Object.keys(client2).sort(), Object.keys(client).sort());
});

test('the types fit', async () => {
  const tsc = path('node_modules/typescript/bin/tsc');
  const options = ['--noEmit', '--strict', '--target', 'es2022', '--module', 'nodenext', '--lib', 'es2022,dom'];
  await promisify(execFile)(process.execPath, [tsc, ...options, path('test/types.ts')]).catch(({ stdout }) => {
    assert.fail(stdout);
  });
});

test('nothing is needed at run time', async () => {
  const { dependencies, peerDependencies } = JSON.parse(await read('package.json'));
  assert.equal(dependencies, undefined);
  assert.equal(peerDependencies, undefined);
});

test('every code of the server has the action that the server names', async () => {
  const source = await read('../runtime/src/error/code.rs');
  const codes = [...source.matchAll(/^ {4}\w+ = "(\w+)" => (\w+), "/gm)];
  assert.ok(codes.length > 20);
  for (const [, code, action] of codes) assert.equal(client.actionFor({ code }), action.toLowerCase(), code);
});

test('codes of later versions, and words of an application, have an action', () => {
  assert.equal(client.actionFor({ code: 'token_revoked' }), 'login');
  assert.equal(client.actionFor({ code: 'revocations_unavailable' }), 'retry');
  for (const code of ['', 'constructor', 'your token_expired', 'token_expired!', 'Account suspended.', undefined, 5]) {
    assert.equal(client.actionFor({ code }), 'none', code);
  }
  assert.equal(client.actionFor({ code: 'token_expired', action: 'login' }), 'login');
});
